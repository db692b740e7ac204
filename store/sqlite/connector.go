package sqlite

import (
	"context"
	"database/sql/driver"
	"net/url"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
)

// connector opens connections to one file alone: not to another that has taken
// its place, and not to one that it would have to make.
type connector struct {
	driver.Connector
	inPlace func() bool
}

func newConnector(path string, settings url.Values, inPlace func() bool) (*connector, error) {
	base, err := sqlite.NewConnector(dataSource(path, settings))
	if err != nil {
		return nil, err
	}
	return &connector{Connector: base, inPlace: inPlace}, nil
}

// Connect looks at the place before and after, so that SQLite found all that
// belongs to the file, which it looks for by name, while the file was there.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	if !c.inPlace() {
		return nil, errMoved
	}
	conn, err := c.Connector.Connect(ctx)
	if c.inPlace() {
		return conn, err
	}
	if err == nil {
		_ = conn.Close()
	}
	return nil, errMoved
}

// dataSource returns the URI of a file.
func dataSource(path string, settings url.Values) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive's letter
	}
	uri := url.URL{Scheme: "file", Path: path, RawQuery: settings.Encode()}
	return uri.String()
}

// working is how we work with a file of ours, which SQLite is not to make: with
// waits of up to 10 s for the locks of others, transactions that ask for the
// write lock at once, and no trust in what is in it.
func working() url.Values {
	return url.Values{
		"mode":    {"rw"},
		"_txlock": {"immediate"},
		"_dqs":    {"false"},
		"_pragma": {"busy_timeout(10000)", "synchronous(NORMAL)", "cell_size_check(ON)", "trusted_schema(OFF)"},
	}
}

// salvaging is how we read a file that was put aside: without trust in what is in
// it, but for as long as anything can be read at all, with a schema in which
// some lines, or an end of which some pages, are missing. A log beside it is
// read too, for which SQLite may make an index of it anew; one that is quiet has
// none, and nothing is made.
func salvaging(quiet bool) url.Values {
	settings := url.Values{
		"mode":    {"ro"},
		"_dqs":    {"false"},
		"_pragma": {"busy_timeout(2000)", "cell_size_check(ON)", "trusted_schema(OFF)", "writable_schema(ON)"},
	}
	if quiet {
		settings.Set("immutable", "1")
	}
	return settings
}

// inspecting is how we look at a file that may not be ours. SQLite is not told
// anything for which it would look at the tables.
func inspecting(readOnly bool) url.Values {
	mode := "rw"
	if readOnly {
		mode = "ro"
	}
	return url.Values{"mode": {mode}, "_pragma": {"busy_timeout(10000)"}}
}
