package audit

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/guard/joinkey"
	"github.com/ambit-go/ambit/rationale"
)

// What docs/credentials.md recommends names the decision, without a word in the
// document, wherever the logs have it.
func TestDefaultKeysAreThoseOfTheRecipes(t *testing.T) {
	id := idOf(1)
	const (
		trail = `{"eventID":"e","eventTime":"2026-11-02T09:00:01Z","eventSource":"asg.amazonaws.com","eventName":"Set","userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:bot"}%s}%s}%s}`
		kube  = `{"auditID":"e","stage":"ResponseComplete","verb":"patch","requestReceivedTimestamp":"2026-11-02T09:00:01Z","objectRef":{"resource":"deployments"},"user":{"username":"host"%s},"impersonatedUser":{"username":"arn:bot"%s}%s}`
	)
	for name, c := range map[string]struct{ format, event, key string }{
		"source identity": {"cloudtrail", fmt.Sprintf(trail, `,"sourceIdentity":"`+joinkey.SessionName(id)+`"`, "", ""), "userIdentity.sessionContext.sourceIdentity"},
		"session name":    {"cloudtrail", fmt.Sprintf(trail, "", `,"arn":"arn:aws:sts::1:assumed-role/a/`+joinkey.SessionName(id)+`"`, ""), "userIdentity.arn"},
		"client token":    {"cloudtrail", fmt.Sprintf(trail, "", "", `,"requestParameters":{"clientToken":"`+joinkey.ClientToken(id, "fleet")+`"}`), "requestParameters.clientToken"},
		"user agent":      {"cloudtrail", fmt.Sprintf(trail, "", "", `,"userAgent":"autoscaler/1.4 `+joinkey.UserAgent(id)+`"`), "userAgent"},
		"impersonated":    {"kubernetes", fmt.Sprintf(kube, "", `,"extra":{"`+joinkey.Tag+`":["`+id+`"]}`, ""), `impersonatedUser.extra["ambit-decision"][]`},
		"annotation": {
			"kubernetes", fmt.Sprintf(kube, "", "", `,"requestObject":{"metadata":{"annotations":{"`+joinkey.Annotation+`":"`+joinkey.Annotations(id)[joinkey.Annotation]+`"}}}`),
			`requestObject.metadata.annotations["ambit-go.github.io/decision"]`,
		},
		"a user's extra":       {"kubernetes", fmt.Sprintf(kube, `,"extra":{"`+joinkey.Tag+`":["`+id+`"]}`, "", ""), `user.extra["ambit-decision"][]`},
		"user agent of a host": {"kubernetes", fmt.Sprintf(kube, "", "", `,"userAgent":"autoscaler/1.4 `+joinkey.UserAgent(id)+`"`), "userAgent"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t).call(1, func(d *rationale.Decision, _ *rationale.Outcome) { d.Arguments = nil })
			require.NoError(t, os.WriteFile(filepath.Join(s.dir, "logs", "log.json"), []byte(c.event+"\n"), 0o600))
			doc, err := Load(filepath.Join(s.dir, "audit.yaml"), fmt.Appendf(nil, `
apiVersion: ambit/v1
kind: Audit
id: keys
agents: [{id: bot, principals: ["arn:bot"]}]
records: [evidence]
logs: [{name: log, format: %s, paths: [logs]}]
tools: [{tool: scale, events: [{action: "asg:Set"}, {action: "patch:deployments"}]}]
`, c.format))
			require.NoError(t, err)
			_, list := s.run(doc)
			require.Len(t, list, 1)
			assert.Equal(t, "explained e 1 "+c.key, found(list))
		})
	}
}
