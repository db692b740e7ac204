package audience

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

func TestTargetWords(t *testing.T) {
	for _, tt := range []struct {
		name   string
		target schema.TargetAudience
		en, zh string
	}{
		{
			"every dimension",
			schema.TargetAudience{
				Gender: "female", AgeGroups: []string{"25-34", "35-44"}, Provinces: []string{"Guangdong", "Zhejiang"},
				Cities: []string{"tier1"}, Interests: []string{"Food", "Travel"}, Devices: []string{"Apple"},
			},
			"women; 25-34 or 35-44; Guangdong or Zhejiang; first-tier cities; interest Food or Travel; Apple devices",
			"女性；25-34 岁或 35-44 岁；广东或浙江；一线城市；兴趣：美食或旅游；苹果设备",
		},
		{
			"groups",
			schema.TargetAudience{AgeGroups: []string{"under 18", "45+"}, Provinces: []string{"华东", "海外", "港澳台"}, Cities: []string{"新一线"}},
			"under 18 or over 44; East China, Overseas or Hong Kong/Macao/Taiwan; new first-tier cities",
			"18 岁以下或 44 岁以上；华东、海外或港澳台；新一线城市",
		},
		{
			"spaces around Latin letters",
			schema.TargetAudience{Devices: []string{"vivo", "苹果", "OPPO"}},
			"vivo, Apple or OPPO devices",
			"vivo、苹果或 OPPO 设备",
		},
		{
			"more than five",
			schema.TargetAudience{Provinces: []string{"京", "沪", "粤", "苏", "浙", "鲁"}, Devices: []string{"Apple", "Huawei", "Honor", "Xiaomi", "vivo", "OPPO", "Samsung"}},
			"Beijing, Shanghai, Guangdong, Jiangsu, Zhejiang and 1 more; devices by Apple, Huawei, Honor, Xiaomi, vivo and 2 more",
			"北京、上海、广东、江苏、浙江等 6 个；苹果、华为、荣耀、小米、vivo 等 7 个品牌的设备",
		},
		{
			"weights that are not 1",
			schema.TargetAudience{Gender: "male", AgeGroups: []string{"<18"}, Cities: []string{"杭州"}, Weights: map[schema.Dimension]float64{"gender": 2, "ageGroups": 1, "cities": 0.5}},
			"men; under 18; Hangzhou (weights: gender 2, cities 0.5)",
			"男性；18 岁以下；杭州（权重：性别 2、城市 0.5）",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target, err := New(nil).Target(&tt.target)
			require.NoError(t, err)
			assert.Equal(t, tt.en, target.Words(schema.English))
			assert.Equal(t, tt.zh, target.Words(schema.Chinese))
		})
	}
}
