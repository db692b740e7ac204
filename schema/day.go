package schema

import "time"

// Day is a day of the vendor, YYYY-MM-DD. It starts at 00:00 Asia/Shanghai,
// which is when the vendor's daily quotas start anew.
type Day string

// DayOf returns the vendor's day that t is in.
func DayOf(t time.Time) Day {
	return Day(t.In(shanghai()).Format(time.DateOnly))
}

// NextDay returns the moment at which the vendor's day after the one of t
// starts, in Shanghai's time.
func NextDay(t time.Time) time.Time {
	year, month, day := t.In(shanghai()).Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, shanghai())
}

// shanghai is China's one time zone. It has kept one offset since 1991, so no
// time zone database is needed.
func shanghai() *time.Location {
	return time.FixedZone("Asia/Shanghai", 8*60*60)
}
