package audience

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"kol-portrait-mcp/schema"
)

func TestFold(t *testing.T) {
	for name, want := range map[string]string{
		" Xi'an ":        "xian",
		"Ｘｉ＇ａｎ":          "xian",
		"Ürümqi":         "urumqi",
		"Film & TV":      "filmandtv",
		"广 东　省":          "广东省",
		"new-tier1":      "newtier1",
		"…!？ \u200b🙂":    "",
		"\xff\xfebroken": "broken",
	} {
		assert.Equal(t, want, fold(name))
	}
}

func TestStem(t *testing.T) {
	n := known()
	for _, tt := range []struct {
		of         schema.Dimension
		name, want string
	}{
		{"provinces", "广东省", "广东"},
		{"provinces", "taiwanprovincechina", "taiwan"},
		{"provinces", "北京", "北京"},
		{"cities", "广州", "广州"},
		{"cities", "沪州", "沪州"},
		{"cities", "恩施土家族苗族自治州", "恩施"},
		{"devices", "iphoneusers", "iphone"},
		{"gender", "女用户", "女"},
		{"ageGroups", "18", "18"},
	} {
		assert.Equal(t, tt.want, n.lexicons[tt.of].stem(tt.name))
	}
}

func TestNear(t *testing.T) {
	for _, tt := range []struct {
		of         schema.Dimension
		name, want string
	}{
		{"provinces", "Zejiang Province", "Zhejiang"},
		{"provinces", "光东", "山东, 广东, 丹东"},
		{"provinces", "内蒙固", "内蒙古"},
		{"provinces", "上海浦东新区", "上海"},
		{"provinces", "Southeast China", "South China"},
		{"provinces", "Zz", ""},
		{"cities", "Shenzen", "Shenzhen"},
		{"cities", "Taizhou", "Taizhou (Jiangsu), Taizhou (Zhejiang)"},
		{"cities", "乌鲁木其", "乌鲁木齐"},
		{"cities", "二线城市", "一线城市"},
		{"interests", "Skincaer", "Skincare"},
		{"interests", "sunscreen", "Skincare"},
		{"interests", "Sun protection & SPF", "Skincare"},
		{"interests", "防晒霜", "护肤"},
		{"interests", "makeup tutorials", "Makeup"},
		{"interests", "单身", ""}, // no slip of 单车
		{"devices", "Iphnoe", "Apple"},
		{"devices", "苹菓手机", "苹果"},
		{"gender", "famale", "women, men"},
		{"cities", strings.Repeat("Shenzhen ", 14), ""},
	} {
		assert.Equal(t, tt.want, strings.Join(near(known().accepted(tt.of), tt.name), ", "), tt.name)
	}
}

// TestSlips holds that a province with one letter wrong leads to the province,
// unless it is another known name.
func TestSlips(t *testing.T) {
	n := known()
	provinces := n.lexicons[schema.DimensionProvinces].choices
	rapid.Check(t, func(t *rapid.T) {
		right := rapid.SampledFrom(provinces).Filter(func(c *choice) bool { return c.members[0].region != nil && len(c.label.en) >= 6 }).Draw(t, "province").label
		at := rapid.IntRange(0, len(right.en)-1).Draw(t, "at")
		slip := right.en[:at] + rapid.SampledFrom([]string{"", "x", "nn"}).Draw(t, "letters") + right.en[at+1:]
		if n.choice(schema.DimensionProvinces, slip) != nil {
			return
		}
		nearest := near([]*lexicon{n.lexicons[schema.DimensionProvinces]}, slip)
		assert.Contains(t, nearest, right.en, slip)
		assert.LessOrEqual(t, len(nearest), mostNear)
	})
}
