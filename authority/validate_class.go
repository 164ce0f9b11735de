package authority

import (
	"github.com/ambit-go/ambit/classify"
	"github.com/ambit-go/ambit/internal/yamldoc"
	"github.com/ambit-go/ambit/rationale"
)

// checkClass refuses what is wrong with a class by itself.
func (d *decoder) checkClass(g *grantDoc, c *classDoc) {
	d.checkObserve(g, c.ObserveUntil, c.Node)
	d.checkDurability(c)
	if c.Tier == classify.Prohibited {
		d.checkProhibited(c)
		return
	}
	codes := make(map[string]bool)
	for i, trigger := range c.Escalate {
		if trigger.To.Known() && c.Tier.Known() && trigger.To <= c.Tier {
			d.Fail(at(c.Node, "escalate", i, "to"), "want "+tiersAbove(c.Tier),
				"escalate[%d].to is %s: the class is %s already, and a trigger only raises", i, trigger.To, c.Tier)
		}
		if trigger.Code != "" && codes[trigger.Code] {
			d.Fail(at(c.Node, "escalate", i, "code"), "give each trigger its own", "escalate names the code %q twice", trigger.Code)
		}
		codes[trigger.Code] = true
	}
}

// checkDurability refuses to give up the fsync of what holds a budget or asks
// people: a class that always acts alone, or not at all, and spends nothing.
func (d *decoder) checkDurability(c *classDoc) {
	if c.Durability != rationale.DurabilityOS {
		return
	}
	refuse := func(format string, args ...any) {
		d.Fail(at(c.Node, "durability"), "want fsync, which is the default; os is for parameterized classes without spend, rate and escalate",
			format+": its records must survive the end of the machine", args...)
	}
	if c.Tier.Known() && c.Tier != classify.Parameterized {
		refuse("the class is %s", c.Tier)
		return
	}
	for _, key := range []string{"spend", "rate", "escalate"} {
		if _, has := find(c.Node, key); has {
			refuse("the class has %q", key)
			return
		}
	}
}

// tiersAbove lists the tiers that a trigger of a class can raise to.
func tiersAbove(t classify.Tier) string {
	var names []string
	for _, above := range classify.Tiers() {
		if above > t {
			names = append(names, above.String())
		}
	}
	return yamldoc.OrList(names)
}

// checkProhibited refuses what would make a class look allowed on conditions:
// it never is. Its condition is 'when'.
func (d *decoder) checkProhibited(c *classDoc) {
	for _, key := range []string{"observe", "allow", "bounds", "escalate", "spend", "rate", "rationale", "fallback"} {
		if n, has := find(c.Node, key); has {
			d.Fail(n, "leave it out; 'when' says which calls the class is of", "a prohibited class has %q, which is never asked", key)
		}
	}
}

// checkDistinct refuses classes that could not be told apart.
func (d *decoder) checkDistinct(g *grantDoc) {
	ids := make(map[string]bool)
	type owner struct {
		id   string
		when bool
	}
	patterns := make(map[classify.Pattern]owner)
	for _, c := range g.Classes {
		if c.ID.Value != "" && ids[c.ID.Value] {
			d.Fail(c.ID.Node, "give each class its own", "two classes have the id %q", c.ID.Value)
		}
		ids[c.ID.Value] = true
		if c.Tier == classify.Prohibited || !c.Tier.Known() {
			continue
		}
		_, conditional := find(c.Node, "when")
		for _, p := range c.Tools {
			first, taken := patterns[p.Pattern]
			if taken && !(first.when && conditional) {
				d.Fail(p.Node, "give both classes a 'when', of which exactly one holds for a call",
					"the class %q has the pattern %q too, and one of the two has no 'when'", first.id, p.Pattern)
				continue
			}
			if !taken {
				patterns[p.Pattern] = owner{c.ID.Value, conditional}
			}
		}
	}
}
