package audience

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"kol-portrait-mcp/schema"
)

// keys are the keys of entries.
func keys(entries []*entry) string {
	var keys []string
	for _, e := range entries {
		keys = append(keys, e.key)
	}
	return strings.Join(keys, " ")
}

func TestEveryTableSaysWhereItIsFrom(t *testing.T) {
	files, err := tables.ReadDir("data")
	require.NoError(t, err)
	assert.Len(t, files, 11)
	for _, file := range files {
		raw, err := tables.ReadFile("data/" + file.Name())
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(string(raw), "# "), file.Name())
	}
}

func TestEntries(t *testing.T) {
	n := known()
	count := map[schema.Dimension]int{}
	withCities, municipalities := map[*entry]bool{}, []*entry(nil)
	for _, of := range schema.Dimensions {
		seen := map[string]bool{}
		for _, c := range n.lexicons[of].choices {
			e := c.members[0]
			count[of]++
			assert.Same(t, e, n.entry(of, e.key))
			assert.NotEmpty(t, e.label.zh)
			assert.NotContains(t, seen, e.label.en)
			seen[e.label.en] = true
			if of == schema.DimensionCities {
				require.NotNil(t, e.province, e.key)
				withCities[e.province] = true
				if e.counted() != e {
					municipalities = append(municipalities, e)
				}
			}
		}
	}
	assert.Equal(t, map[schema.Dimension]int{
		"gender": 2, "ageGroups": 5, "provinces": 36, "cities": 333 + 4 + 14 + 11, "interests": 103, "devices": 37,
	}, count, "cities: prefectures, municipalities, cities directly under a province; Hong Kong, Macao and Taiwan's")
	assert.Equal(t, "北京 上海 重庆 天津 香港 澳门", keys(municipalities))
	for _, c := range n.lexicons[schema.DimensionProvinces].choices {
		assert.Equal(t, c.members[0].region != nil, withCities[c.members[0]], c.label.zh)
	}
	for _, e := range []*entry{n.entry(schema.DimensionProvinces, overseasKey), n.entry(schema.DimensionProvinces, unknownProvinceKey)} {
		require.NotNil(t, e)
		assert.Nil(t, e.region)
	}
	assert.Equal(t, label{"East", "华东"}, *n.entry(schema.DimensionProvinces, "浙江").region)
}

// TestEveryNameMeansOneThing holds that no name of the tables stands for two
// choices in an argument of a target audience, but for those that a province
// and a city share: there the argument's own comes first.
func TestEveryNameMeansOneThing(t *testing.T) {
	n := known()
	shared := map[string]string{"吉林": "吉林市", "jilin": "吉林市", "canton": "广州"}
	for _, of := range schema.Dimensions {
		for _, l := range n.accepted(of) {
			for name, c := range l.folded {
				if of == schema.DimensionAgeGroups {
					continue // TestAgesAsPeopleWriteThem
				}
				got := n.choice(of, name)
				require.NotNil(t, got, name)
				if got != c && got.label != c.label {
					assert.Contains(t, shared, name, "%q is %s and %s", name, got.label.zh, c.label.zh)
				}
			}
		}
	}
	for name, city := range shared {
		assert.Equal(t, city, n.choice(schema.DimensionCities, name).members[0].key)
		assert.Equal(t, schema.DimensionProvinces, n.choice(schema.DimensionProvinces, name).members[0].dimension)
	}
}

// TestNoRowOfTheTablesTakesANameFromAnother holds that the tables give no name
// to two entries of one dimension, where the later would hide the earlier.
func TestNoRowOfTheTablesTakesANameFromAnother(t *testing.T) {
	for file, columns := range map[string][]string{
		"genders.csv": {"name", "zh", "en", "aliases"}, "provinces.csv": {"zh", "en", "region", "shown", "aliases"},
		"cities.csv": {"zh", "en", "tier", "province", "aliases"}, "interests.csv": {"zh", "en", "related", "aliases"},
		"devices.csv": {"name", "zh", "en", "aliases"},
	} {
		owner := map[string]string{}
		for _, row := range table(file, columns...) {
			label := row[len(row)-2] // of devices, which the vendor writes in two ways
			if file != "devices.csv" {
				label = row[1]
			}
			for _, name := range append(split(row[len(row)-1]), row[0], row[1]) {
				folded := fold(name)
				require.NotEmpty(t, folded, name)
				if before, taken := owner[folded]; taken {
					assert.Equal(t, before, label, "%s: %s", file, name)
				}
				owner[folded] = label
			}
			for _, cell := range row {
				assert.Equal(t, strings.TrimSpace(cell), cell)
			}
		}
	}
}

// TestRow is V1, V2: what the vendor's rows mean.
func TestRow(t *testing.T) {
	for _, tt := range []struct {
		of    schema.Dimension
		names []string
		want  string // the key; empty where nothing is known
	}{
		{"gender", []string{"female", "Women", "女"}, "female"},
		{"ageGroups", []string{">44", "45+", "≥45", "45岁以上", "45岁及以上", "＞44", "45 and over"}, ">44"},
		{"ageGroups", []string{"18-24", "18~24", "18–24岁", "18至24岁", "１８－２４"}, "18-24"},
		{"ageGroups", []string{"<18", "18岁以下", "0-17", "未成年"}, "<18"},
		{"ageGroups", []string{"18-34", "18", "24", "成年", "20-30", "13-17", "45-54", "all", ""}, ""},
		{"provinces", []string{"广东", "广东省", "Guangdong", "Guangdong Province", "廣東", "廣東省", "粤"}, "广东"},
		{"provinces", []string{"内蒙古自治区", "內蒙古自治區", "内蒙", "Inner Mongolia Autonomous Region"}, "内蒙古"},
		{"provinces", []string{"广西壮族自治区", "廣西壯族自治區", "Guangxi Zhuang Autonomous Region"}, "广西"},
		{"provinces", []string{"新疆维吾尔自治区", "Xinjiang Uygur Autonomous Region"}, "新疆"},
		{"provinces", []string{"宁夏回族自治区"}, "宁夏"},
		{"provinces", []string{"西藏自治區", "Xizang"}, "西藏"},
		{"provinces", []string{"北京市", "Beijing"}, "北京"},
		{"provinces", []string{"香港特别行政区", "中国香港", "Hong Kong SAR"}, "香港"},
		{"provinces", []string{"吉林", "吉林省"}, "吉林"},
		{"provinces", []string{"海外", "境外", "Overseas"}, "海外"},
		{"provinces", []string{"中国", "China (province unknown)"}, "中国"},
		{"provinces", []string{"华东", "East China", "长三角", "港澳台", "深圳", "全国", "其他"}, ""},
		{"cities", []string{"深圳", "深圳市", "广东省深圳市", "Shenzhen"}, "深圳"},
		{"cities", []string{"吉林", "吉林市"}, "吉林市"},
		{"cities", []string{"泰州市", "Taizhou, Jiangsu"}, "泰州"},
		{"cities", []string{"延边朝鲜族自治州", "延边州", "Yanbian Korean Autonomous Prefecture"}, "延边"},
		{"cities", []string{"恩施土家族苗族自治州", "Enshi Tujia and Miao Autonomous Prefecture"}, "恩施"},
		{"cities", []string{"博尔塔拉蒙古自治州"}, "博尔塔拉"},
		{"cities", []string{"海南州", "海南藏族自治州", "Hainan Tibetan Autonomous Prefecture"}, "海南州"},
		{"cities", []string{"锡林郭勒盟", "Xilin Gol League"}, "锡林郭勒"},
		{"cities", []string{"Taizhou", "沪州", "海南", "吉林省", "一线城市", "tier1", "珠三角"}, ""},
		{"interests", []string{"美食", "Food", "美食类"}, "美食"},
		{"interests", []string{"母婴", "mother & baby"}, "母婴"},
		{"interests", []string{"防晒", "sunscreen", "単身"}, ""},
		{"devices", []string{"apple inc.", "Apple Inc.", "apple", "iPhone", "苹果", "苹果手机"}, "apple inc."},
		{"devices", []string{"HUAWEI", "华为", "Huawei phones"}, "huawei"},
		{"devices", []string{"Android", "手机"}, ""},
	} {
		for _, name := range tt.names {
			got := ""
			if e := known().row(tt.of, schema.Row{Name: name}); e != nil {
				got = e.key
			}
			assert.Equal(t, tt.want, got, "%s %q", tt.of, name)
		}
	}
	assert.Equal(t, "huawei", known().row(schema.DimensionDevices, schema.Row{Name: "hw01", Label: "华为"}).key, "by the display name")
	assert.Equal(t, "honor", known().row(schema.DimensionDevices, schema.Row{Name: "honor", Label: "华为"}).key, "which comes second")
}

func BenchmarkReadNames(b *testing.B) {
	for b.Loop() {
		readNames()
	}
}
