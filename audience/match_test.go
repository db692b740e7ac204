package audience

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/width"
	"pgregory.net/rapid"

	"kol-portrait-mcp/schema"
)

// spelling is one name of a table's row, and the English label of that row.
type spelling struct {
	name, means string
}

// spellings returns every name that the tables have in a dimension.
func spellings(of schema.Dimension) []spelling {
	var all []spelling
	row := func(means, aliasCell string, names ...string) {
		for _, name := range append(names, aliases(aliasCell)...) {
			all = append(all, spelling{name, means})
		}
	}
	switch of {
	default: // age groups are in no table
	case schema.DimensionGender:
		for _, r := range genderTable() {
			row(r[2], r[3], r[0], r[1], r[2])
		}
	case schema.DimensionProvinces:
		for _, r := range provinceTable() {
			row(r[1], r[4], cmp.Or(r[3], r[0]), r[1])
		}
		for _, r := range regionTable() {
			row(r[2], r[3], r[0], r[1], r[2])
		}
	case schema.DimensionCities:
		for _, r := range cityTable() {
			row(r[1], r[4], r[0], r[1])
		}
		for _, r := range tierTable() {
			row(r[2], r[3], r[0], r[1], r[2])
		}
	case schema.DimensionInterests:
		for _, r := range interestTable() {
			row(r[1], r[3], r[0], r[1])
		}
	case schema.DimensionDevices:
		for _, r := range deviceTable() {
			row(r[2], r[3], r[0], r[1], r[2])
		}
	}
	return all
}

// named returns the dimensions whose values are names in tables.
func named() []schema.Dimension {
	return slices.DeleteFunc(schema.Dimensions(), func(d schema.Dimension) bool { return d == schema.DimensionAgeGroups })
}

// TestEveryNameMeansOneThing holds as well that no name means two: the later
// row would have taken it from the earlier.
func TestEveryNameMeansOneThing(t *testing.T) {
	f := readFacts()
	for _, of := range named() {
		for _, s := range spellings(of) {
			e, known := f.meaning(of, s.name)
			assert.True(t, known, "%s %q", of, s.name)
			assert.Equal(t, s.means, e.label.en, "%s %q", of, s.name)
		}
	}
	for _, r := range cityTable() {
		province := f.names[schema.DimensionProvinces][r[3]]
		english, _, _ := strings.Cut(r[1], " (")
		for _, name := range []string{r[3] + r[0], r[3] + "省" + r[0] + "市", english + ", " + province.en, english + ", " + province.en + " Province, China"} {
			e, known := f.meaning(schema.DimensionCities, name)
			assert.True(t, known, name)
			assert.Equal(t, r[1], e.label.en, name)
		}
	}
}

func TestNoAliasIsSuperfluous(t *testing.T) {
	for _, of := range named() {
		seen := map[string]spelling{}
		for _, s := range spellings(of) {
			key := fold(s.name)
			if earlier, twice := seen[key]; twice && of != schema.DimensionDevices { // where vendor, brand and company may be called alike
				assert.Equal(t, earlier.name, s.name, "%s: the same when they are compared", of)
			}
			seen[key] = s
		}
	}
}

// meant returns the English label that a name stands for, empty where none.
func meant(of schema.Dimension, name string) string {
	e, _ := New(nil).facts().meaning(of, name)
	return e.label.en
}

func TestEveryProvinceByItsFullNames(t *testing.T) {
	for _, tt := range []struct {
		means string
		names []string
	}{
		{"Beijing", []string{"北京", "北京市", "Beijing", "Beijing Municipality", "Beijing City", "PEKING", "京"}},
		{"Tianjin", []string{"天津", "天津市", "Tianjin", "Tianjin Municipality", "津"}},
		{"Hebei", []string{"河北", "河北省", "Hebei", "Hebei Province", "冀"}},
		{"Shanxi", []string{"山西", "山西省", "Shanxi", "Shanxi Province", "晋"}},
		{"Inner Mongolia", []string{"内蒙古", "内蒙古自治区", "Inner Mongolia", "inner-mongolia autonomous region", "Nei Mongol", "內蒙古", "蒙"}},
		{"Liaoning", []string{"辽宁", "辽宁省", "Liaoning", "Liaoning Province", "遼寧", "辽"}},
		{"Jilin", []string{"吉林", "吉林省", "Jilin", "Jilin Province", "吉"}},
		{"Heilongjiang", []string{"黑龙江", "黑龙江省", "Heilongjiang", "Heilong Jiang", "黑"}},
		{"Shanghai", []string{"上海", "上海市", "Shanghai", "Shanghai Municipality", "沪"}},
		{"Jiangsu", []string{"江苏", "江苏省", "Jiangsu", "Jiangsu Province", "江蘇", "苏"}},
		{"Zhejiang", []string{"浙江", "浙江省", "Zhejiang", "Zhejiang Province", "浙"}},
		{"Anhui", []string{"安徽", "安徽省", "Anhui", "Anhui Province", "皖"}},
		{"Fujian", []string{"福建", "福建省", "Fujian", "Fukien", "闽"}},
		{"Jiangxi", []string{"江西", "江西省", "Jiangxi", "Jiangxi Province", "赣"}},
		{"Shandong", []string{"山东", "山东省", "Shandong", "Shantung", "鲁"}},
		{"Henan", []string{"河南", "河南省", "Henan", "Honan", "豫"}},
		{"Hubei", []string{"湖北", "湖北省", "Hubei", "Hubei Province", "鄂"}},
		{"Hunan", []string{"湖南", "湖南省", "Hunan", "Hunan Province", "湘"}},
		{"Guangdong", []string{"广东", "广东省", "Guangdong", "GUANGDONG PROVINCE", "Guang dong", "Canton", "Kwangtung", "廣東省", "粤", "Ｇｕａｎｇｄｏｎｇ", "Guangdong, China"}},
		{"Guangxi", []string{"广西", "广西省", "广西壮族自治区", "Guangxi", "Guangxi Zhuang Autonomous Region", "Guangxi Zhuang", "桂"}},
		{"Hainan", []string{"海南", "海南省", "Hainan", "Hainan Province", "琼"}},
		{"Chongqing", []string{"重庆", "重庆市", "重慶", "Chongqing", "Chungking", "渝"}},
		{"Sichuan", []string{"四川", "四川省", "Sichuan", "Sichuan Province", "Szechuan", "川", "蜀"}},
		{"Guizhou", []string{"贵州", "贵州省", "Guizhou", "Guizhou Province", "黔"}},
		{"Yunnan", []string{"云南", "云南省", "Yunnan", "Yunnan Province", "滇"}},
		{"Tibet", []string{"西藏", "西藏自治区", "Tibet", "Xizang", "Tibet Autonomous Region", "Xizang (Tibet)", "藏"}},
		{"Shaanxi", []string{"陕西", "陕西省", "Shaanxi", "Shaanxi Province", "Shensi", "陕", "秦"}},
		{"Gansu", []string{"甘肃", "甘肃省", "Gansu", "Gansu Province", "甘"}},
		{"Qinghai", []string{"青海", "青海省", "Qinghai", "Qinghai Province", "青"}},
		{"Ningxia", []string{"宁夏", "宁夏回族自治区", "Ningxia", "Ningxia Hui Autonomous Region", "宁"}},
		{"Xinjiang", []string{"新疆", "新疆维吾尔自治区", "Xinjiang", "Xinjiang Uygur Autonomous Region", "Xinjiang Uyghur Autonomous Region", "新"}},
		{"Hong Kong", []string{"香港", "香港特别行政区", "中国香港", "Hong Kong", "Hongkong", "Hong Kong SAR", "Hong Kong Special Administrative Region", "Hong Kong SAR, China", "HK", "港"}},
		{"Macao", []string{"澳门", "澳门特别行政区", "Macao", "Macau", "Macau SAR", "澳"}},
		{"Taiwan", []string{"台湾", "台湾省", "臺灣", "Taiwan", "Taiwan Province", "Taiwan, China", "台"}},
		{"Overseas", []string{"海外", "国外", "海外用户", "Overseas", "abroad", "Outside China"}},
		{"China (province unknown)", []string{"国内未知省份", "China (province unknown)", "province unknown"}},
	} {
		t.Run(tt.means, func(t *testing.T) {
			for _, name := range tt.names {
				assert.Equal(t, tt.means, meant(schema.DimensionProvinces, name), name)
			}
		})
	}
}

func TestGroups(t *testing.T) {
	f := readFacts()
	for _, tt := range []struct {
		of    schema.Dimension
		names []string
		rows  string
	}{
		{"provinces", []string{"North", "North China", "northern china", "华北", "华北地区", "North Region"}, "北京 天津 河北 山西 内蒙古"},
		{"provinces", []string{"Northeast", "North-East China", "东北", "东三省"}, "辽宁 吉林 黑龙江"},
		{"provinces", []string{"East", "East China", "Eastern China", "华东", "华东地区", "华东区"}, "上海 江苏 浙江 安徽 福建 江西 山东"},
		{"provinces", []string{"Central", "Central China", "华中"}, "河南 湖北 湖南"},
		{"provinces", []string{"South", "South China", "华南"}, "广东 广西 海南"},
		{"provinces", []string{"Southwest", "South West China", "西南地区"}, "重庆 四川 贵州 云南 西藏"},
		{"provinces", []string{"Northwest", "Northwestern China", "西北"}, "陕西 甘肃 青海 宁夏 新疆"},
		{"provinces", []string{"港澳台", "港澳台地区", "Hong Kong/Macao/Taiwan", "Hong Kong, Macau & Taiwan"}, "香港 澳门 台湾"},
		{"cities", []string{"tier1", "Tier 1", "tier-1 cities", "T1", "first-tier", "First tier cities", "一线", "一线城市", "北上广深"}, "北京 上海 广州 深圳"},
		{
			"cities",
			[]string{"new-tier1", "new tier 1", "new first-tier", "New First-Tier Cities", "新一线", "新一线城市"},
			"成都 杭州 重庆 武汉 苏州 西安 南京 长沙 郑州 天津 合肥 青岛 东莞 宁波 佛山",
		},
	} {
		for _, name := range tt.names {
			e, known := f.meaning(tt.of, name)
			assert.True(t, known, name)
			assert.Equal(t, tt.rows, strings.Join(e.rows, " "), name)
		}
	}
}

func TestCities(t *testing.T) {
	for means, names := range map[string][]string{
		// First-tier, new first-tier.
		"Beijing": {"北京", "北京市", "Beijing", "Peking"}, "Shanghai": {"上海", "Shanghai City", "沪"},
		"Guangzhou": {"广州", "广州市", "Guangzhou", "Canton", "广东省广州市", "Guangzhou, Guangdong"}, "Shenzhen": {"深圳", "Shenzhen", "深圳市"},
		"Chengdu": {"成都", "chengdu"}, "Hangzhou": {"杭州市", "Hang Zhou"}, "Chongqing": {"重庆", "Chongqing Municipality"},
		"Wuhan": {"武汉", "Wuhan"}, "Suzhou": {"苏州", "Suzhou", "Suzhou, Jiangsu"}, "Xi'an": {"西安", "Xi'an", "Xian", "Xi’an", "xi an"},
		"Nanjing": {"南京", "Nanking"}, "Changsha": {"长沙", "Changsha"}, "Zhengzhou": {"郑州", "Zhengzhou"}, "Tianjin": {"天津", "Tientsin"},
		"Hefei": {"合肥", "Hefei"}, "Qingdao": {"青岛", "Tsingtao"}, "Dongguan": {"东莞", "Dongguan"}, "Ningbo": {"宁波", "Ningbo"}, "Foshan": {"佛山", "Foshan"},
		// The other capitals.
		"Shijiazhuang": {"石家庄", "Shijiazhuang"}, "Taiyuan": {"太原", "Tàiyuán"}, "Hohhot": {"呼和浩特", "Huhehaote", "Hohhot"},
		"Shenyang": {"沈阳", "Shenyang"}, "Changchun": {"长春", "Changchun"}, "Harbin": {"哈尔滨", "Ha'erbin"}, "Fuzhou": {"福州", "Fuzhou"},
		"Nanchang": {"南昌", "Nanchang"}, "Jinan": {"济南", "Ji'nan"}, "Nanning": {"南宁", "Nanning"}, "Haikou": {"海口", "Haikou"},
		"Guiyang": {"贵阳", "Guiyang"}, "Kunming": {"昆明", "Kunming"}, "Lhasa": {"拉萨", "Lasa"}, "Lanzhou": {"兰州", "Lanzhou"},
		"Xining": {"西宁", "Xining"}, "Yinchuan": {"银川", "Yinchuan"}, "Urumqi": {"乌鲁木齐", "Ürümqi", "Wulumuqi"},
		"Hong Kong": {"香港", "HK"}, "Macao": {"澳门", "Macau"}, "Taipei": {"台北", "臺北市", "Taipei City"},
		// Names that are full, or shared.
		"Jilin City": {"吉林", "吉林市", "Jilin City", "Jilin"}, "Hainan Prefecture": {"海南州", "海南藏族自治州", "Hainan Tibetan Autonomous Prefecture"},
		"Enshi":             {"恩施", "恩施州", "恩施土家族苗族自治州", "Enshi Tujia and Miao Autonomous Prefecture"},
		"Dehong":            {"德宏傣族景颇族自治州"},
		"Bortala":           {"博尔塔拉蒙古自治州", "Bortala Mongol Autonomous Prefecture"},
		"Kashgar":           {"喀什地区", "Kashi Prefecture"},
		"Xilingol":          {"锡林郭勒盟", "Xilin Gol League"},
		"Taizhou (Jiangsu)": {"泰州", "Taizhou, Jiangsu", "Taizhou (Jiangsu)", "江苏泰州"}, "Taizhou (Zhejiang)": {"台州", "Taizhou Zhejiang Province", "台州市"},
		// Not here.
		"": {"Taizhou", "沪州", "海南", "Hainan", "吉林省", "东北", "Paris"},
	} {
		for _, name := range names {
			assert.Equal(t, means, meant(schema.DimensionCities, name), name)
		}
	}
}

func TestInterestsAndBrands(t *testing.T) {
	for means, names := range map[string][]string{
		"Food": {"美食", "food", "美食类", "Cooking"}, "Mother & baby": {"母婴", "Mother and baby", "mother&baby"}, "Parenting": {"亲子", "Parenting"},
		"Skincare": {"护肤", "Skin care", "skincare"}, "Beauty": {"美妆", "Cosmetics"}, "Film & TV": {"影视", "Film & TV", "Movies"}, "Home": {"家居家装", "家居"},
	} {
		for _, name := range names {
			assert.Equal(t, means, meant(schema.DimensionInterests, name), name)
		}
	}
	for means, names := range map[string][]string{
		"Apple":  {"Apple", "apple inc.", "Apple Inc", "APPLE", "iPhone", "iPhone users", "iOS", "苹果", "苹果手机", "Apple devices"},
		"Huawei": {"huawei", "华为手机", "Huawei phones"}, "Honor": {"荣耀", "honor", "HONOR"}, "Xiaomi": {"小米", "Xiao Mi"}, "ptac": {"ptac", "PTAC"},
		"": {"Android", "手机", "phone"},
	} {
		for _, name := range names {
			assert.Equal(t, means, meant(schema.DimensionDevices, name), name)
		}
	}
	for means, names := range map[string][]string{
		"women": {"female", "Female", "women", "woman", "F", "女", "女性", "female users", "女性用户"},
		"men":   {"male", "men", "M", "男", "男性", "Male only"},
	} {
		for _, name := range names {
			assert.Equal(t, means, meant(schema.DimensionGender, name), name)
		}
	}
}

func TestEveryDocumentedNameIsKnown(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "documented-response.json"))
	require.NoError(t, err)
	var response struct {
		Data schema.Distributions `json:"data"`
	}
	require.NoError(t, json.Unmarshal(raw, &response))
	f := readFacts()
	for _, of := range schema.Dimensions() {
		rows := f.rows(of, &response.Data)
		require.NotEmpty(t, rows)
		for _, row := range rows {
			if row.Name == domestic {
				continue // a caller who says China means all of it
			}
			e, known := f.meaning(of, row.Name)
			assert.True(t, known, "%s %s", of, row.Name)
			assert.Equal(t, []string{row.Name}, e.rows, "%s %s", of, row.Name)
		}
	}
}

func TestNear(t *testing.T) {
	f := readFacts()
	for _, tt := range []struct {
		of   schema.Dimension
		name string
		want string
	}{
		{"provinces", "Gaungdong", "Guangdong"},
		{"provinces", "guangdnog province", "Guangdong"},
		{"provinces", "Shanxxi", "Shanxi, Shaanxi"},
		{"provinces", "Huan", "Hunan"},
		{"provinces", "广冬", "广东, 广西"},
		{"provinces", "内蒙固", "内蒙古"},
		{"provinces", "Zz", ""},
		{"provinces", "粵", ""},
		{"cities", "bx", ""},
		{"cities", "Shenzen", "Shenzhen"},
		{"cities", "Taizhou", "Taizhou (Jiangsu), Taizhou (Zhejiang)"},
		{"cities", "乌鲁木其", "乌鲁木齐"},
		{"cities", "tier 11", "first-tier cities"},
		{"interests", "Skincaer", "Skincare"},
		{"interests", "Moter & baby", "Mother & baby"},
		{"devices", "Aple", "Apple"},
		{"devices", "Iphnoe", "Apple"},
		{"devices", "苹菓手机", "苹果"},
		{"gender", "famale", "women, men"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			lang := schema.English
			if chinese(tt.name) {
				lang = schema.Chinese
			}
			var names []string
			for _, l := range f.lexicons()[tt.of].near(tt.name) {
				names = append(names, l.in(lang))
			}
			assert.Equal(t, tt.want, strings.Join(names, ", "))
		})
	}
}

func TestFold(t *testing.T) {
	for name, want := range map[string]string{
		" Xi'an ":        "xian",
		"Ｘｉ＇ａｎ":          "xian",
		"Ürümqi":         "urumqi",
		"Lǚliáng":        "luliang",
		"Film & TV":      "filmandtv",
		"广 东　省":          "广东省",
		"new-tier1":      "newtier1",
		"…!？ \u200b🙂":    "",
		"İstanbul":       "istanbul",
		"\xff\xfebroken": "broken",
	} {
		assert.Equal(t, want, fold(name))
	}
}

// dressed draws another way to write a name: in another case and width, with
// spaces and punctuation between its characters, and with a usual suffix.
func dressed(t *rapid.T, name string, suffixes []string) string {
	if rapid.Bool().Draw(t, "suffixed") {
		name += rapid.SampledFrom(append(suffixes, " ")).Draw(t, "suffix")
	}
	var b strings.Builder
	for _, r := range name {
		switch rapid.IntRange(0, 3).Draw(t, "letter") {
		case 0:
			r = unicode.ToUpper(r)
		case 1:
			r = unicode.ToLower(r)
		}
		written := string(r)
		if rapid.Bool().Draw(t, "wide") {
			written = width.Widen.String(written)
		}
		b.WriteString(written + rapid.SampledFrom([]string{"", "", "", " ", "-", "·", "　", "'"}).Draw(t, "gap"))
	}
	return b.String()
}

func exactElsewhere(f *facts, of schema.Dimension, name string) bool {
	return slices.ContainsFunc(f.others(of), func(other schema.Dimension) bool {
		_, known := f.lexicons()[other].exact(name)
		return known
	})
}

func TestNamesAreFoundHoweverTheyAreWritten(t *testing.T) {
	f := readFacts()
	for _, of := range named() {
		t.Run(string(of), func(t *testing.T) {
			all := spellings(of)
			rapid.Check(t, func(t *rapid.T) {
				s := rapid.SampledFrom(all).Draw(t, "spelling")
				name := dressed(t, s.name, f.lexicons()[of].suffixes)
				e, known := f.meaning(of, name)
				if !known && (utf8.RuneCountInString(fold(s.name)) == 1 || exactElsewhere(f, of, name)) {
					return // an abbreviation takes no suffix, and 吉林市 is the city
				}
				if !known || e.label.en != s.means {
					t.Fatalf("%q for %q means %q, want %q", name, s.name, e.label.en, s.means)
				}
			})
		})
	}
}

func TestSlipsInProvincesSuggestTheRightOne(t *testing.T) {
	f := readFacts()
	var long []string
	for _, r := range provinceTable() {
		if len(r[1]) >= 6 && r[0] != domestic {
			long = append(long, r[1])
		}
	}
	require.Len(t, long, 26)
	rapid.Check(t, func(t *rapid.T) {
		right := rapid.SampledFrom(long).Draw(t, "province")
		at := rapid.IntRange(0, len(right)-1).Draw(t, "at")
		letter := string(rapid.RuneFrom(nil, &unicode.RangeTable{R16: []unicode.Range16{{Lo: 'a', Hi: 'z', Stride: 1}}}).Draw(t, "letter"))
		slip := rapid.SampledFrom([]string{
			right[:at] + right[at+1:],
			right[:at] + letter + right[at:],
			right[:at] + letter + right[at+1:],
		}).Draw(t, "slip")
		if _, known := f.meaning(schema.DimensionProvinces, slip); known {
			return // the right one, or another
		}
		if _, _, found := f.elsewhere(schema.DimensionProvinces, slip); found {
			return
		}
		near := f.lexicons()[schema.DimensionProvinces].near(slip)
		if !slices.ContainsFunc(near, func(l label) bool { return l.en == right }) {
			t.Fatalf("%q suggests %v, want %s", slip, near, right)
		}
		if len(near) > 3 {
			t.Fatalf("%q suggests %d names", slip, len(near))
		}
	})
}

// FuzzTarget asks for whatever name in any dimension. One that is understood
// means the same however it is written, and so do the words for what it means;
// one that is not is told in text that can be shown.
func FuzzTarget(f *testing.F) {
	for _, name := range []string{"", "Guangdong", "广东省", "18-24", "<", "\x00\xff", "\u202e", "自治州", strings.Repeat("ﷺ", 100), "tier1", "all", "ﬀ&İ", "9999999999999999999+"} {
		f.Add(name, name, 1.0, uint8(len(name)))
	}
	for of, names := range [][]string{
		{"women", "m"}, {"over 44 years", "≥25", "未满18岁", "18~34"}, {"延边朝鲜族自治州", "Inner Mongolia Autonomous Region", "华东"},
		{"Xi'an, Shaanxi", "Taizhou", "新一线"}, {"Film & TV", "美食"}, {"苹果手机", "Redmi"},
	} {
		for _, name := range names {
			f.Add(name, "age", 0.5, uint8(of))
		}
	}
	analyst := New(nil)
	f.Fuzz(func(t *testing.T, name, other string, weight float64, at uint8) {
		of := schema.Dimensions()[int(at)%len(schema.Dimensions())]
		asked := naming(of, name)
		asked.Interests, asked.Weights = append(asked.Interests, other), map[schema.Dimension]float64{schema.Dimension(other): weight}
		target, err := analyst.Target(asked)
		requireTold(t, target, err)

		target, err = analyst.Target(naming(of, name))
		requireTold(t, target, err)
		if utf8.RuneCountInString(name) < longest-1 {
			for _, spelling := range []string{" " + name + "\n", strings.Map(otherCase, name), strings.Map(fullWidth, name)} {
				same, failure := analyst.Target(naming(of, spelling))
				require.Equal(t, err == nil, failure == nil, "%q of %s: %v, and before: %v", spelling, of, failure, err)
				requireSame(t, of, target, same)
			}
		}
		if target == nil {
			return
		}
		for _, words := range []string{target.said[of][0].en, target.said[of][0].zh} {
			same, err := analyst.Target(naming(of, words))
			require.NoError(t, err, "%q for %q", words, name)
			requireSame(t, of, target, same)
		}
	})
}

// requireTold checks that there is a target that has words, or an error that can
// be shown.
func requireTold(t *testing.T, target *Target, err error) {
	t.Helper()
	if err != nil {
		require.Nil(t, target)
		require.False(t, strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }), "%q", err.Error())
		return
	}
	require.NotEmpty(t, target.selected)
	require.NotEmpty(t, target.Words(schema.English))
	require.NotEmpty(t, target.Words(schema.Chinese))
}

// requireSame checks that two targets ask for the same rows of a dimension, in
// the same words.
func requireSame(t *testing.T, of schema.Dimension, one, other *Target) {
	t.Helper()
	if one != nil {
		require.Equal(t, one.selected[of], other.selected[of])
		require.Equal(t, one.said[of], other.said[of])
	}
}

// naming asks for one name in one dimension.
func naming(of schema.Dimension, name string) *schema.TargetAudience {
	names := []string{name}
	switch of {
	case schema.DimensionGender:
		return &schema.TargetAudience{Gender: name}
	case schema.DimensionAgeGroups:
		return &schema.TargetAudience{AgeGroups: names}
	case schema.DimensionProvinces:
		return &schema.TargetAudience{Provinces: names}
	case schema.DimensionCities:
		return &schema.TargetAudience{Cities: names}
	case schema.DimensionInterests:
		return &schema.TargetAudience{Interests: names}
	default:
		return &schema.TargetAudience{Devices: names}
	}
}

// otherCase returns an ASCII letter in the other case.
func otherCase(r rune) rune {
	if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
		return r ^ ' '
	}
	return r
}

// fullWidth returns a visible ASCII character as Chinese keyboards have it.
func fullWidth(r rune) rune {
	if '!' <= r && r <= '~' {
		return r - '!' + '！'
	}
	return r
}

func BenchmarkReadFacts(b *testing.B) {
	for b.Loop() {
		readFacts()
	}
}

func BenchmarkReadLexicons(b *testing.B) {
	for b.Loop() {
		readLexicons()
	}
}

func TestLongerSuffixesComeFirst(t *testing.T) {
	for of, l := range readLexicons() {
		for i, suffix := range l.suffixes {
			assert.Equal(t, fold(suffix), suffix, of)
			for _, earlier := range l.suffixes[:i] {
				assert.False(t, strings.HasSuffix(suffix, earlier), "%s: %s hides %s", of, earlier, suffix)
			}
		}
	}
}
