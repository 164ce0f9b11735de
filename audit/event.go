package audit

import (
	"errors"
	"hash/maphash"
	"strings"
	"time"
)

// event is one event of a log, as far as an audit looks at it.
type event struct {
	id         string // of the act
	sent       string // tells apart what clients gave one id, where they can choose it
	at         time.Time
	action     string
	principal  string   // as people know it
	principals []string // every name that the log has for who acted
	agent      int      // index of Document.agents; -1: none of them
	resource   string
	readOnly   bool
	failed     bool
	service    bool // begun by a service of the cloud, not by who it is attributed to
	seen       bool // an earlier run judged it
	partial    bool // a stage that says nothing of how the act ended

	request uint64 // tells what was asked for apart; where the log does not say, no two are alike

	keys   []key      // what can name a decision, the strongest first
	values [][]string // by index of Document.paths
	log    int        // index of Document.logs
	file   int        // index of files
	offset int64
}

// key is a value that can name a decision.
type key struct {
	path int // where in the event it stands: index of log.keys
	text string
}

var (
	errIncomplete = errors.New("not an event of this format: it has no id or no action")
	errNoTime     = errors.New("it has no time that can be read")
)

// eventReader turns what a picker found into an event.
type eventReader interface {
	read(p *picker, e *event) error
}

// defaultKeys are where the clients of a cloud put what their caller gives them,
// and what the cloud answers with.
func defaultKeys(f Format) []string {
	switch f {
	case CloudTrail:
		return []string{
			"requestParameters.clientToken", "requestParameters.clientRequestToken", "requestParameters.idempotencyToken",
			"requestParameters.tagSpecificationSet.items[].tags[].value", "requestParameters.tags[].value", "requestParameters.tagSet.items[].value",
			"userIdentity.sessionContext.sourceIdentity", "userIdentity.arn", "userAgent",
			"requestID", "responseElements.instancesSet.items[].instanceId",
		}
	case Kubernetes:
		return []string{
			`impersonatedUser.extra["ambit-decision"][]`, `user.extra["ambit-decision"][]`,
			`requestObject.metadata.annotations["ambit-go.github.io/decision"]`, "userAgent", "auditID",
		}
	}
	return nil
}

// cloudTrail reads the events of AWS CloudTrail.
type cloudTrail struct {
	request                                                  int // span
	eventID, sharedEventID, at, source, name, kind, readOnly int
	errorCode, errorMessage, resource                        int
	arn, principalID, issuer, userName, userType, invokedBy  int
}

func newCloudTrail(p *picker) *cloudTrail {
	return &cloudTrail{
		request: p.wantSpan("requestParameters"),
		eventID: p.mustWant("eventID"), sharedEventID: p.mustWant("sharedEventID"), at: p.mustWant("eventTime"),
		source: p.mustWant("eventSource"), name: p.mustWant("eventName"), kind: p.mustWant("eventType"), readOnly: p.mustWant("readOnly"),
		errorCode: p.mustWant("errorCode"), errorMessage: p.mustWant("errorMessage"), resource: p.mustWant("resources[].ARN"),
		arn: p.mustWant("userIdentity.arn"), principalID: p.mustWant("userIdentity.principalId"),
		issuer:   p.mustWant("userIdentity.sessionContext.sessionIssuer.arn"),
		userName: p.mustWant("userIdentity.userName"), userType: p.mustWant("userIdentity.type"), invokedBy: p.mustWant("userIdentity.invokedBy"),
	}
}

func (r *cloudTrail) read(p *picker, e *event) error {
	var err error
	if e.at, err = instant(p.str(r.at)); err != nil {
		return err
	}
	// One act that two accounts see has an event in each, and one shared id.
	if e.id = p.str(r.sharedEventID); e.id == "" {
		e.id = p.str(r.eventID)
	}
	e.action = strings.TrimSuffix(p.str(r.source), ".amazonaws.com") + ":" + p.str(r.name)
	if e.id == "" || strings.HasPrefix(e.action, ":") || strings.HasSuffix(e.action, ":") {
		return errIncomplete
	}
	for _, slot := range []int{r.arn, r.issuer, r.principalID, r.userName} {
		if name := p.str(slot); name != "" {
			e.principals = append(e.principals, name)
		}
	}
	if e.principal = p.str(r.invokedBy); len(e.principals) > 0 {
		e.principal = e.principals[0]
	}
	// What does not say that it only reads may have changed something.
	e.readOnly = p.str(r.readOnly) == "true"
	e.failed = p.str(r.errorCode) != "" || p.str(r.errorMessage) != ""
	by := p.str(r.invokedBy)
	e.service = p.str(r.kind) == "AwsServiceEvent" || p.str(r.userType) == "AWSService" || by != "" && by != console
	e.resource = p.str(r.resource)
	e.asked(nil, p.span[r.request])
	return nil
}

// console is what CloudTrail names as invoking what a person does in a browser.
const console = "signin.amazonaws.com"

// asked tells a request by what the log says of it.
func (e *event) asked(where, body []byte) {
	if len(body) == 0 || string(body) == "null" {
		e.request = hashOf([]byte(e.id), []byte(e.sent))
		return
	}
	e.request = hashOf(where, body)
}

// kubernetes reads the audit events of an API server.
type kubernetes struct {
	request                                           int // span
	auditID, stage, verb, uri, received, stamped, old int
	user, impersonated, code, dry                     int
	group, resource, subresource, namespace, name     int
}

func newKubernetes(p *picker) *kubernetes {
	return &kubernetes{
		request: p.wantSpan("requestObject"),
		auditID: p.mustWant("auditID"), stage: p.mustWant("stage"), verb: p.mustWant("verb"), uri: p.mustWant("requestURI"),
		received: p.mustWant("requestReceivedTimestamp"), stamped: p.mustWant("stageTimestamp"), old: p.mustWant("timestamp"),
		user: p.mustWant("user.username"), impersonated: p.mustWant("impersonatedUser.username"), code: p.mustWant("responseStatus.code"),
		dry:   p.mustWant("requestObject.dryRun[]"),
		group: p.mustWant("objectRef.apiGroup"), resource: p.mustWant("objectRef.resource"), subresource: p.mustWant("objectRef.subresource"),
		namespace: p.mustWant("objectRef.namespace"), name: p.mustWant("objectRef.name"),
	}
}

func (r *kubernetes) read(p *picker, e *event) error {
	var err error
	for _, slot := range []int{r.received, r.stamped, r.old} {
		if text := p.str(slot); text != "" {
			e.at, err = instant(text)
			break
		}
	}
	if err != nil || e.at.IsZero() {
		return errNoTime
	}
	verb, sub := p.str(r.verb), p.str(r.subresource)
	if e.id = p.str(r.auditID); e.id == "" || verb == "" {
		return errIncomplete
	}
	// A client may choose the id (Audit-ID): the stages of one request have more in common.
	e.sent = p.str(r.received) + " " + p.str(r.uri)
	object := p.str(r.resource)
	if group := p.str(r.group); group != "" {
		object = group + "/" + object
	}
	if sub != "" {
		object += "/" + sub
	}
	if object == "" {
		object, _, _ = strings.Cut(p.str(r.uri), "?")
	}
	e.action = verb + ":" + object
	e.resource = strings.Trim(p.str(r.namespace)+"/"+p.str(r.name), "/")
	e.principal = p.str(r.user)
	// Whoever acts for another does it with credentials of its own.
	e.principals = append(e.principals, e.principal)
	if as := p.str(r.impersonated); as != "" {
		e.principals = append(e.principals, as)
		e.principal += " as " + as
	}
	e.readOnly = readsOnly(verb, sub) || r.dryRun(p, verb, sub)
	e.asked(p.get(r.uri), p.span[r.request])
	code, stage := p.str(r.code), p.str(r.stage)
	// Who gives a request too little time (504), and what panics, may have acted.
	e.failed = len(code) == 3 && code >= "400" && code != "504" && stage != "Panic"
	e.partial = stage != "ResponseComplete" && stage != "Panic" && code == ""
	return nil
}

// hashOf tells texts apart, within one process.
func hashOf(texts ...[]byte) uint64 {
	var h maphash.Hash
	h.SetSeed(hashSeed)
	for _, text := range texts {
		h.Write(text)
		h.WriteByte(0xff) // which no UTF-8 has
	}
	return h.Sum64()
}

var hashSeed = maphash.MakeSeed()

// readsOnly says whether a request changes nothing. To run a command in a
// container, a client may use get.
func readsOnly(verb, subresource string) bool {
	switch subresource {
	case "exec", "attach", "portforward", "proxy":
		return false
	}
	switch verb {
	case "get", "list", "watch", "head", "options":
		return true
	}
	return false
}

// dryRun reports whether the server was asked to change nothing where it does as
// it is asked. What deletes does not read its query where it has a body; what connects
// to a pod, a service or a node reads neither.
func (r *kubernetes) dryRun(p *picker, verb, subresource string) bool {
	switch subresource {
	case "", "scale", "status":
	default:
		return false
	}
	switch verb {
	case "delete", "deletecollection":
		return p.str(r.dry) == "All"
	case "create", "update", "patch":
		return asksDryRun(p.str(r.uri))
	}
	return false
}

func asksDryRun(uri string) bool {
	_, query, _ := strings.Cut(uri, "?")
	for query != "" {
		var parameter string
		parameter, query, _ = strings.Cut(query, "&")
		if parameter == "dryRun=All" {
			return true
		}
	}
	return false
}
