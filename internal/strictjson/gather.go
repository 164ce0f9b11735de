package strictjson

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// gather adds the schema at a pointer to a place, with all that it combines:
// what it refers to, its conjuncts, alternatives and conditions.
func (c *compiler) gather(p *place, at string, always, nullable bool, active []string) *Error {
	if slices.Contains(active, at) {
		return schemaError(at, "it refers to itself without end")
	}
	if p.has(at, always, nullable) {
		return nil
	}
	v, err := c.lookup(at)
	if err != nil {
		return err
	}
	keys, ok := v.(map[string]any)
	if !ok {
		allowed, ok := v.(bool)
		if !ok {
			return schemaError(at, "want a schema, got %s", jsonKind(v))
		}
		if always && !allowed {
			p.always = append(p.always, part{at: at, never: true})
		}
		return nil
	}
	part := part{at: at, keys: keys, nullable: nullable}
	if err := c.admit(part); err != nil {
		return err
	}
	if always {
		p.always = append(p.always, part)
	} else {
		p.sometimes = append(p.sometimes, part)
	}
	active = append(slices.Clip(active), at)
	if ref, ok := keys["$ref"].(string); ok {
		target, err := localTarget(at, ref)
		if err != nil {
			return err
		}
		if err := c.gather(p, target, always, nullable, active); err != nil {
			return err
		}
	}
	for i := range list(keys["allOf"]) {
		if err := c.gather(p, at+"/allOf/"+strconv.Itoa(i), always, nullable, active); err != nil {
			return err
		}
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		rest, null := part.alternatives(key)
		one := len(rest) == 1
		for _, i := range rest {
			if err := c.gather(p, at+"/"+key+"/"+strconv.Itoa(i), always && one, one && (nullable || null), active); err != nil {
				return err
			}
		}
	}
	return c.conditions(p, part, active)
}

// conditions adds the subschemas that hold only for some values.
func (c *compiler) conditions(p *place, part part, active []string) *Error {
	var at []string
	for _, key := range []string{"if", "then", "else"} {
		if _, ok := part.keys[key]; ok {
			at = append(at, part.at+"/"+key)
		}
	}
	for _, key := range []string{"dependentSchemas", "dependencies"} {
		schemas, _ := part.keys[key].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(schemas)) {
			if _, names := schemas[name].([]any); !names {
				at = append(at, part.at+"/"+key+"/"+escapePointer(name))
			}
		}
	}
	for _, at := range at {
		if err := c.gather(p, at, false, false, active); err != nil {
			return err
		}
	}
	return nil
}

// alternatives returns the indexes under anyOf or oneOf of what is not plainly
// null, and whether null is among them.
func (p *part) alternatives(key string) (rest []int, null bool) {
	for i, item := range list(p.keys[key]) {
		if m, ok := item.(map[string]any); ok && m["type"] == "null" {
			null = true
			continue
		}
		rest = append(rest, i)
	}
	return rest, null
}

// admit refuses what could make a reference mean another place to the library
// than it means here, and notes keywords that only the library checks.
func (c *compiler) admit(p part) *Error {
	if p.at != "" {
		if _, has := p.keys["$id"]; has {
			return schemaError(p.at, "$id below the root is not supported")
		}
		if root, _ := c.tree.(map[string]any); p.keys["id"] != nil && isDraft4(root) {
			return schemaError(p.at, "id below the root is not supported")
		}
	}
	for _, key := range []string{"$dynamicRef", "$recursiveRef"} {
		if p.keys[key] != nil {
			return schemaError(p.at, "%s is not supported; write $ref", key)
		}
	}
	if slices.ContainsFunc(slices.Collect(maps.Keys(p.keys)), p.needsLibrary) {
		c.beyond = true
	}
	return nil
}

func isDraft4(root map[string]any) bool {
	s, _ := root["$schema"].(string)
	return strings.Contains(s, "draft-04")
}

// needsLibrary reports whether the part's keyword is not fully checked here.
func (p part) needsLibrary(key string) bool {
	switch key {
	case "type", "properties", "required", "additionalProperties", "allOf", "$ref":
		return false
	case "enum":
		return slices.ContainsFunc(list(p.keys[key]), nested)
	case "const":
		return nested(p.keys[key])
	case "items":
		_, tuple := p.keys[key].([]any)
		return tuple
	case "anyOf":
		rest, _ := p.alternatives(key)
		return len(rest) > 1
	}
	return !annotation(key)
}

// asserts reports whether the part says anything of its own about values.
func (p part) asserts() bool {
	for key := range p.keys {
		switch key {
		case "$ref", "allOf", "anyOf":
		default:
			if !annotation(key) {
				return true
			}
		}
	}
	return false
}

// annotation reports whether a keyword says nothing about what is valid.
func annotation(key string) bool {
	switch key {
	case "$schema", "$id", "id", "$comment", "$defs", "definitions", "title", "description",
		"default", "examples", "example", "deprecated", "readOnly", "writeOnly":
		return true
	}
	return strings.HasPrefix(key, "x-")
}

func nested(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

// localTarget returns the pointer that a $ref names.
func localTarget(at, ref string) (string, *Error) {
	fragment, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return "", schemaError(at, "$ref %s is not in this schema; nothing is fetched", quote(ref))
	}
	target, err := url.PathUnescape(fragment)
	if err != nil || target != "" && target[0] != '/' {
		return "", schemaError(at, "$ref %s is no JSON pointer, such as #/$defs/name", quote(ref))
	}
	return target, nil
}

// lookup returns what stands at a JSON pointer of the schema.
func (c *compiler) lookup(at string) (any, *Error) {
	v := c.tree
	if at == "" {
		return v, nil
	}
	for step := range strings.SplitSeq(at[1:], "/") {
		if strings.Contains(step, "~") {
			step = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
		}
		switch parent := v.(type) {
		case map[string]any:
			child, ok := parent[step]
			if !ok {
				return nil, schemaError(at, "there is nothing at this place")
			}
			v = child
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(parent) {
				return nil, schemaError(at, "there is nothing at this place")
			}
			v = parent[i]
		default:
			return nil, schemaError(at, "there is nothing at this place")
		}
	}
	return v, nil
}
