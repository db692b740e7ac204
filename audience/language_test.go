package audience

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"kol-portrait-mcp/schema"
)

func TestSome(t *testing.T) {
	for _, tt := range []struct {
		names  []string
		en, zh string
	}{
		{nil, "", ""},
		{[]string{"A"}, "A", "A"},
		{[]string{"A", "B", "C"}, "A, B, C", "A、B、C"},
		{[]string{"A", "B", "C", "D"}, "A, B, C and 1 more", "A、B、C 等 4 个"},
		{[]string{"甲", "乙", "丙", "丁", "戊"}, "甲, 乙, 丙 and 2 more", "甲、乙、丙等 5 个"},
	} {
		assert.Equal(t, tt.en, Some(tt.names, 3, schema.English))
		assert.Equal(t, tt.zh, Some(tt.names, 3, schema.Chinese))
	}
}
