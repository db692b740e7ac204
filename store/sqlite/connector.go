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

func newConnector(path string, mode accessMode, inPlace func() bool) (*connector, error) {
	base, err := sqlite.NewConnector(dataSource(path, mode))
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

// accessMode is what SQLite may do with a file. It never makes one.
type accessMode string

const (
	readOnly  accessMode = "ro"
	readWrite accessMode = "rw"
)

// dataSource returns the URI of a file with what holds for every connection:
// waits of up to 10 s for the locks of others, transactions that ask for the
// write lock at once, and no trust in what is in the file.
func dataSource(path string, mode accessMode) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive's letter
	}
	uri := url.URL{Scheme: "file", Path: path}
	query := url.Values{
		"mode":    {string(mode)},
		"_txlock": {"immediate"},
		"_dqs":    {"false"},
		"_pragma": {"busy_timeout(10000)", "synchronous(NORMAL)", "cell_size_check(ON)", "trusted_schema(OFF)"},
	}
	uri.RawQuery = query.Encode()
	return uri.String()
}
