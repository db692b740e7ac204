package audience_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"kol-portrait-mcp/audience"
	"kol-portrait-mcp/schema"
)

// complete returns distributions that nothing is to be said against.
func complete() *schema.Distributions {
	return &schema.Distributions{
		Ages:      agesOf(0.1, 0.2, 0.4, 0.2, 0.1),
		Gender:    genderOf(0.6, 0.4),
		Interests: rows(row("美食", 0.2)),
		Provinces: rows(row("广东", 0.9), row("海外", 0.06), row("中国", 0.04)),
		Cities:    rows(row("广州", 0.2)),
		Devices:   device("huawei", 0.9),
	}
}

func TestWarningsOnTheData(t *testing.T) {
	const today = "2026-11-23"
	for _, tt := range []struct {
		name   string
		change func(*schema.Distributions)
		en, zh []string
	}{
		{"nothing", func(*schema.Distributions) {}, []string{}, []string{}},

		{"two points off are the vendor's rounding", func(d *schema.Distributions) {
			d.Ages, d.Gender = agesOf(0.1, 0.2, 0.4, 0.2, 0.08), genderOf(0.6, 0.42)
		}, []string{}, []string{}},
		{"ages off", func(d *schema.Distributions) { d.Ages = agesOf(0, 0.2, 0.4, 0.2, 0.1) },
			[]string{"Age shares sum to 90.0%, not 100%."}, []string{"年龄占比合计 90.0%，而非 100%。"}},
		{"genders off", func(d *schema.Distributions) { d.Gender = genderOf(0.6, 0.5) },
			[]string{"Gender shares sum to 110.0%, not 100%."}, []string{"性别占比合计 110.0%，而非 100%。"}},
		{"provinces off", func(d *schema.Distributions) { d.Provinces = rows(row("广东", 0.9)) },
			[]string{"Province shares sum to 90.0%, not 100%."}, []string{"省份占比合计 90.0%，而非 100%。"}},
		{"lists that are cut off may sum to less, not to more", func(d *schema.Distributions) {
			d.Interests, d.Cities, d.Devices = rows(row("美食", 1.1)), rows(row("广州", 1.02)), device("huawei", 1.03)
		}, []string{"Interest shares sum to 110.0%, over 100%.", "Device shares sum to 103.0%, over 100%."},
			[]string{"兴趣占比合计 110.0%，超过 100%。", "设备占比合计 103.0%，超过 100%。"}},

		{"dimensions missing", func(d *schema.Distributions) { d.Gender, d.Cities = &schema.GenderShares{}, nil },
			[]string{"The vendor sent no data on: gender, cities."}, []string{"数据方未提供：性别、城市。"}},
		{"all missing", func(d *schema.Distributions) { *d = schema.Distributions{} },
			[]string{"The vendor sent no data on: age, gender, interests, provinces, cities, devices."},
			[]string{"数据方未提供：年龄、性别、兴趣、省份、城市、设备。"}},
		{"one gender missing: its sum means nothing", func(d *schema.Distributions) { d.Gender.Male = nil },
			[]string{"The share of men is not known."}, []string{"男性占比未知。"}},
		{"the other gender missing", func(d *schema.Distributions) { d.Gender.Female = nil },
			[]string{"The share of women is not known."}, []string{"女性占比未知。"}},

		{"rows left out", func(d *schema.Distributions) {
			d.LeftOut = map[schema.Dimension]int{schema.DimensionCities: 2, schema.DimensionAgeGroups: 1}
		}, []string{"Rows without a usable name or figure are left out: age 1, cities 2."}, []string{"名称或数值不可用、未计入的行数：年龄 1、城市 2。"}},

		{"an age group missing", func(d *schema.Distributions) { d.Ages = agesOf(0, 0.3, 0.4, 0.2, 0.1)[1:] },
			[]string{"No share given for ages: <18; no median."}, []string{"缺少年龄段：<18，故不计算中位数。"}},
		{"an age group unknown", func(d *schema.Distributions) { d.Ages = append(d.Ages, schema.AgeShare{Group: "45-54"}) },
			[]string{"Unknown age group: 45-54; no median."}, []string{"未识别的年龄段：45-54，故不计算中位数。"}},

		{"a province unknown", func(d *schema.Distributions) { d.Provinces[0].Name = "某地%d" },
			[]string{"Unknown province: \"某地%d\"; in no region."}, []string{"未识别的省份：\"某地%d\"，未计入大区。"}},
		{"many provinces unknown", func(d *schema.Distributions) {
			d.Provinces = rows(row("甲", 0.2), row("乙", 0.2), row("丙", 0.2), row("丁", 0.2), row("戊", 0.2))
		}, []string{"Unknown province: 甲, 乙, 丙 and 2 more; in no region."}, []string{"未识别的省份：甲、乙、丙等 5 个，未计入大区。"}},
		{"many without a province", func(d *schema.Distributions) { d.Provinces = rows(row("广东", 0.7), row("中国", 0.3)) },
			[]string{"For 30.0% the province in China is not known."}, []string{"30.0% 的粉丝在国内但省份未知。"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := complete()
			tt.change(d)
			analyst := audience.New(nil)
			assert.Equal(t, tt.en, analyst.Warnings(d, today, documentedDay, schema.English))
			assert.Equal(t, tt.zh, analyst.Warnings(d, today, documentedDay, schema.Chinese))
		})
	}
}

func TestWarningsOnTheDay(t *testing.T) {
	utc := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC)
	}
	for _, tt := range []struct {
		name   string
		asOf   string
		today  time.Time
		en, zh string // empty where there is nothing to say
	}{
		{"documented", "2026-03-08", utc(time.November, 23, 12), "The portrait is 260 days old.", "画像数据距今已 260 天。"},
		{"30 days", "2026-03-08", utc(time.April, 7, 12), "", ""},
		{"31 days", "2026-03-08", utc(time.April, 8, 12), "The portrait is 31 days old.", "画像数据距今已 31 天。"},
		{"31 days in China, where it is past midnight already", "2026-03-08", utc(time.April, 7, 16), "The portrait is 31 days old.", "画像数据距今已 31 天。"},
		{"today", "2026-03-08", utc(time.March, 8, 0), "", ""},
		{"a day ahead", "2026-03-09", utc(time.March, 8, 0), "", ""},
		{"two days ahead", "2026-03-10", utc(time.March, 8, 0), "The vendor dates the portrait 2026-03-10, in the future.", "画像数据日期 2026-03-10 晚于今天。"},
		{"long before there were portraits", "1500-01-01", utc(time.March, 8, 0), "The portrait is 192184 days old.", "画像数据距今已 192184 天。"},
		{"no day", "", utc(time.March, 8, 0), "The day of the data is not known.", "数据日期未知。"},
		{"no date", "2026-02-30", utc(time.March, 8, 0), "The day of the data is not known.", "数据日期未知。"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			en := audience.New(nil).Warnings(complete(), tt.asOf, tt.today, schema.English)
			zh := audience.New(nil).Warnings(complete(), tt.asOf, tt.today, schema.Chinese)
			if tt.en == "" {
				assert.Equal(t, []string{}, en)
				assert.Equal(t, []string{}, zh)
				return
			}
			assert.Equal(t, []string{tt.en}, en)
			assert.Equal(t, []string{tt.zh}, zh)
		})
	}
}

func TestWarningsOnNil(t *testing.T) {
	assert.Len(t, audience.New(nil).Warnings(nil, "", documentedDay, schema.English), 2)
}
