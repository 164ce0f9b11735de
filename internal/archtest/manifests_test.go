package archtest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ambit-go/ambit/internal/yamldoc"
)

var yamlBlock = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// manifest is what the checks below read of a Kubernetes manifest.
type manifest struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Template struct {
			Spec struct {
				Grace      int         `json:"terminationGracePeriodSeconds"`
				Containers []container `json:"containers"`
				Volumes    []named     `json:"volumes"`
			} `json:"spec"`
		} `json:"template"`
		Claims []struct {
			Metadata named `json:"metadata"`
		} `json:"volumeClaimTemplates"`
	} `json:"spec"`
}

type named struct {
	Name string `json:"name"`
}

type container struct {
	Readiness, Liveness, Startup probe
	VolumeMounts                 []named `json:"volumeMounts"`
}

type probe struct {
	Get struct {
		Path string `json:"path"`
	} `json:"httpGet"`
}

func (c *container) UnmarshalJSON(data []byte) error {
	var said struct {
		Readiness probe   `json:"readinessProbe"`
		Liveness  probe   `json:"livenessProbe"`
		Startup   probe   `json:"startupProbe"`
		Mounts    []named `json:"volumeMounts"`
	}
	err := json.Unmarshal(data, &said)
	*c = container{said.Readiness, said.Liveness, said.Startup, said.Mounts}
	return err
}

// What people copy from the documentation is read by a parser first.
func TestManifestsOfTheDocumentation(t *testing.T) {
	kinds := map[string]int{}
	for _, page := range []string{"docs/deploy.md", "docs/credentials.md", "docs/operations.md"} {
		for i, block := range yamlBlock.FindAllStringSubmatch(sources(t, ".md")[page], -1) {
			name := fmt.Sprintf("%s, manifest %d", page, i+1)
			file, problems := yamldoc.Parse(name, []byte(block[1]))
			require.Empty(t, problems, name)
			text, err := file.Root().JSON()
			require.NoError(t, err, name)
			var m manifest
			require.NoError(t, json.Unmarshal(text, &m), name)
			if page == "docs/operations.md" {
				continue // Prometheus, and the Collector
			}
			assert.NotEmpty(t, m.APIVersion, name)
			assert.NotEmpty(t, m.Metadata.Name, name)
			kinds[m.Kind]++
			if m.Kind == "StatefulSet" || m.Kind == "Deployment" {
				checkHost(t, name, m)
			}
		}
	}
	assert.Equal(t, map[string]int{
		"StatefulSet": 1, "Deployment": 1, "PodDisruptionBudget": 1, "Job": 1,
		"ClusterRole": 1, "ValidatingAdmissionPolicy": 1, "ValidatingAdmissionPolicyBinding": 1,
	}, kinds)
}

// checkHost holds a manifest against what the page says of probes, volumes and the
// time at the end.
func checkHost(t *testing.T, name string, m manifest) {
	pod := m.Spec.Template.Spec
	assert.Positive(t, pod.Grace, name)
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
	}
	for _, c := range m.Spec.Claims {
		volumes[c.Metadata.Name] = true
	}
	assert.Equal(t, m.Kind == "StatefulSet", volumes["evidence"], name)
	require.NotEmpty(t, pod.Containers, name)
	for _, c := range pod.Containers {
		assert.Equal(t, "/ready", c.Readiness.Get.Path, name)
		assert.Equal(t, "/ready", c.Startup.Get.Path, name)
		assert.Equal(t, "/live", c.Liveness.Get.Path, "%s: no outage of the evidence ends the process", name)
		for _, v := range c.VolumeMounts {
			assert.True(t, volumes[v.Name], "%s mounts %s, which it does not have", name, v.Name)
		}
	}
}
