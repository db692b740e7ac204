package check

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// manifests are what is in deploy/kubernetes, decoded into Kubernetes' own types.
type manifests struct {
	deployments  []*apps.Deployment
	statefulSets []*apps.StatefulSet
	services     []*core.Service
	configMaps   []*core.ConfigMap
	budgets      []*policy.PodDisruptionBudget
	networks     []*networking.NetworkPolicy
}

// kustomization is what is used of that type.
type kustomization struct {
	meta.TypeMeta `json:",inline"`
	Namespace     string   `json:"namespace"`
	Resources     []string `json:"resources"`
	Images        []struct {
		Name    string `json:"name"`
		NewName string `json:"newName"`
		NewTag  string `json:"newTag"`
	} `json:"images"`
}

// readManifests fails at a field, a kind or a value that Kubernetes does not know.
func readManifests(t *testing.T) (manifests, kustomization) {
	t.Helper()
	const folder = "../kubernetes"
	var k kustomization
	content, err := os.ReadFile(filepath.Join(folder, "kustomization.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalStrict(content, &k))
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	require.NoError(t, err)
	require.Len(t, files, len(k.Resources)+1, "kustomization.yaml is to name every file")

	var m manifests
	for _, name := range k.Resources {
		content, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		for document := range bytes.SplitSeq(content, []byte("\n---\n")) {
			var kind meta.TypeMeta
			require.NoError(t, yaml.Unmarshal(document, &kind), name)
			switch kind.APIVersion + " " + kind.Kind {
			case "apps/v1 Deployment":
				m.deployments = append(m.deployments, decode[apps.Deployment](t, document))
			case "apps/v1 StatefulSet":
				m.statefulSets = append(m.statefulSets, decode[apps.StatefulSet](t, document))
			case "v1 Service":
				m.services = append(m.services, decode[core.Service](t, document))
			case "v1 ConfigMap":
				m.configMaps = append(m.configMaps, decode[core.ConfigMap](t, document))
			case "policy/v1 PodDisruptionBudget":
				m.budgets = append(m.budgets, decode[policy.PodDisruptionBudget](t, document))
			case "networking.k8s.io/v1 NetworkPolicy":
				m.networks = append(m.networks, decode[networking.NetworkPolicy](t, document))
			default:
				require.Fail(t, "unknown kind", "%s: %s %s", name, kind.APIVersion, kind.Kind)
			}
		}
	}
	return m, k
}

func decode[T any](t *testing.T, document []byte) *T {
	t.Helper()
	object := new(T)
	require.NoError(t, yaml.UnmarshalStrict(document, object))
	return object
}

// templates returns the pods that the manifests make.
func (m manifests) templates() []core.PodTemplateSpec {
	var templates []core.PodTemplateSpec
	for _, d := range m.deployments {
		templates = append(templates, d.Spec.Template)
	}
	for _, s := range m.statefulSets {
		templates = append(templates, s.Spec.Template)
	}
	return templates
}

// selected returns the one pod template that a selector finds.
func (m manifests) selected(t *testing.T, selector *meta.LabelSelector) core.PodTemplateSpec {
	t.Helper()
	s, err := meta.LabelSelectorAsSelector(selector)
	require.NoError(t, err)
	var found []core.PodTemplateSpec
	for _, template := range m.templates() {
		if s.Matches(labels.Set(template.Labels)) {
			found = append(found, template)
		}
	}
	require.Len(t, found, 1, "%v is to find one kind of pod", selector)
	return found[0]
}

func portNames(pod core.PodTemplateSpec) []string {
	var names []string
	for _, port := range pod.Spec.Containers[0].Ports {
		names = append(names, port.Name)
	}
	return names
}

func TestKubernetesFindsWhatItNames(t *testing.T) {
	m, k := readManifests(t)
	for _, d := range m.deployments {
		m.selected(t, d.Spec.Selector)
	}
	for _, s := range m.statefulSets {
		m.selected(t, s.Spec.Selector)
	}
	for _, b := range m.budgets {
		m.selected(t, b.Spec.Selector)
	}
	for _, s := range m.services {
		pod := m.selected(t, &meta.LabelSelector{MatchLabels: s.Spec.Selector})
		for _, port := range s.Spec.Ports {
			assert.Contains(t, portNames(pod), port.TargetPort.StrVal, "Service %s", s.Name)
		}
	}
	for _, n := range m.networks {
		pod := m.selected(t, &n.Spec.PodSelector)
		for _, rule := range n.Spec.Ingress {
			for _, port := range rule.Ports {
				assert.Contains(t, portNames(pod), port.Port.StrVal, "NetworkPolicy %s", n.Name)
			}
			for _, peer := range rule.From {
				if peer.PodSelector != nil {
					m.selected(t, peer.PodSelector)
				}
			}
		}
	}
	var images []string
	for _, template := range m.templates() {
		images = append(images, template.Spec.Containers[0].Image)
	}
	for _, image := range k.Images {
		assert.Contains(t, images, image.Name)
	}
}

// Every pod keeps to what the restricted Pod Security Standard asks for, and more.
func TestKubernetesPodsAreConfined(t *testing.T) {
	m, _ := readManifests(t)
	require.Len(t, m.templates(), 2)
	for _, template := range m.templates() {
		pod := template.Spec
		require.NotNil(t, pod.SecurityContext)
		assert.True(t, *pod.SecurityContext.RunAsNonRoot)
		assert.NotZero(t, *pod.SecurityContext.RunAsUser)
		assert.Equal(t, core.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type)
		assert.False(t, *pod.AutomountServiceAccountToken)
		require.Len(t, pod.Containers, 1)
		c := pod.Containers[0]
		assert.False(t, *c.SecurityContext.AllowPrivilegeEscalation)
		assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
		assert.Equal(t, []core.Capability{"ALL"}, c.SecurityContext.Capabilities.Drop)
		for _, quantity := range []core.ResourceName{core.ResourceCPU, core.ResourceMemory} {
			assert.Contains(t, c.Resources.Requests, quantity)
			assert.Contains(t, c.Resources.Limits, quantity)
		}
	}
}

func TestKubernetesServer(t *testing.T) {
	m, _ := readManifests(t)
	require.Len(t, m.deployments, 1)
	require.Len(t, m.configMaps, 1)
	assert.EqualValues(t, 2, *m.deployments[0].Spec.Replicas)
	pod := m.deployments[0].Spec.Template.Spec
	c := pod.Containers[0]
	for probe, path := range map[*core.Probe]string{c.LivenessProbe: "/healthz", c.ReadinessProbe: "/readyz"} {
		assert.Equal(t, path, probe.HTTPGet.Path)
		assert.Contains(t, portNames(m.deployments[0].Spec.Template), probe.HTTPGet.Port.StrVal)
	}
	// Calls under way have ten seconds, and what is paid for one attempt (60s) and ten.
	assert.Greater(t, *pod.TerminationGracePeriodSeconds, c.Lifecycle.PreStop.Sleep.Seconds+10+60+10)

	settings := m.configMaps[0].Data
	assert.Equal(t, m.configMaps[0].Name, c.EnvFrom[0].ConfigMapRef.Name)
	require.Len(t, c.VolumeMounts, 1)
	mount := c.VolumeMounts[0]
	assert.Equal(t, pod.Volumes[0].Name, mount.Name)
	assert.Empty(t, mount.SubPath, "what is mounted by subPath does not follow the secret")
	for _, variable := range []string{"JUSTONEAPI_TOKEN_FILE", "MCP_AUTH_TOKENS_FILE"} {
		assert.Equal(t, mount.MountPath, filepath.Dir(settings[variable]), variable)
	}
	assert.True(t, strings.HasSuffix(settings["MCP_ADDR"], ":8080"))
	assert.True(t, strings.HasSuffix(settings["MCP_METRICS_ADDR"], ":9090"))
}
