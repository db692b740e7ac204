//go:build e2e

package e2e

import (
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Wrong arguments are a result that says what to do instead. They cost nothing,
// and the vendor is not asked.
func TestWrongArguments(t *testing.T) {
	t.Parallel()
	const portrait, comparison = "get_kol_fans_portrait", "compare_kol_fans_portraits"
	v := startVendor(t)
	s := start(t, against(t, v, "memory:"))
	for _, wrong := range []struct {
		name, tool string
		arguments  any
		says       string
	}{
		{"nothing", portrait, map[string]any{}, "kolId is missing"},
		{"a list", portrait, []any{kol}, "JSON object"},
		{"a name", portrait, map[string]any{"kolId": "李佳琦"}, "not a user id"},
		{"the address of a note", portrait, map[string]any{"kolId": "https://www.xiaohongshu.com/explore/65f2c0b3000000001203e1a7"}, "note"},
		{"a short link", portrait, map[string]any{"kolId": "https://xhslink.com/a/AbCdEf"}, "short link"},
		{"a language", portrait, map[string]any{"kolId": kol, "language": "français"}, "language"},
		{"a detail", portrait, map[string]any{"kolId": kol, "detail": "everything"}, "summary"},
		{"a word for yes", portrait, map[string]any{"kolId": kol, "acceptCache": "perhaps"}, "acceptCache"},
		{"an argument that is close", portrait, map[string]any{"kolId": kol, "acceptCach": false}, "acceptCache"},
		{"a dimension beside the target", portrait, map[string]any{"kolId": kol, "provinces": []any{"Guangdong"}}, "targetAudience"},
		{"a target that is a word", portrait, map[string]any{"kolId": kol, "targetAudience": "women"}, "targetAudience"},
		{"a province", portrait, map[string]any{"kolId": kol, "targetAudience": map[string]any{"provinces": []any{"Gaungdong"}}}, `"Guangdong"`},
		{"an age", portrait, map[string]any{"kolId": kol, "targetAudience": map[string]any{"ageGroups": []any{"25-30"}}}, "18-24, 25-34"},
		{"a gender", portrait, map[string]any{"kolId": kol, "targetAudience": map[string]any{"gender": "everybody"}}, "leave it out"},
		{"one KOL", comparison, map[string]any{"kolIds": []any{kol}}, "get_kol_fans_portrait"},
		{"one KOL twice", comparison, map[string]any{"kolIds": []any{kol, kol}}, "2 to 20"},
		{"an id among ids", comparison, map[string]any{"kolIds": []any{kol, "no id"}}, "kolIds"},
	} {
		t.Run(wrong.name, func(t *testing.T) {
			result, err := s.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: wrong.tool, Arguments: wrong.arguments}})
			require.NoError(t, err)
			a, _, err := decode(result)
			require.NoError(t, err)
			require.NotNil(t, a.Structured.Error, a.Content)
			assert.EqualValues(t, "invalid_argument", a.Structured.Error.Kind)
			assert.False(t, a.Structured.Error.Charged)
			assert.False(t, a.Structured.Error.Retryable)
			assert.Contains(t, a.Structured.Error.Message, wrong.says)
			assert.Contains(t, a.Content[0].Text, "Error invalid_argument: "+a.Structured.Error.Message)
		})
	}
	assert.Empty(t, v.arrived, "the vendor was asked")
	s.end(t)
}
