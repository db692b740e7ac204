package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"text/template"
	"time"

	"kol-portrait-mcp/config"
)

// templates are the bundle's files but for the programs, as they lie in it. The
// JSON files among them have holes.
//
//go:embed bundle
var templates embed.FS

const skill = "skills/kol-audience-fit/SKILL.md"

// contents returns the bundle's files, by path.
func contents(programs map[string]string, f facts) (map[string][]byte, error) {
	files, err := fill(f)
	if err != nil {
		return nil, err
	}
	read := func(path string) (content []byte) {
		content, readErr := os.ReadFile(path) //nolint:gosec // that file is meant
		err = errors.Join(err, readErr)
		return content
	}
	files["LICENSE"] = read("LICENSE")
	files[skill] = read(skill)
	contents := map[string][]byte{}
	for _, system := range systems {
		contents[system] = read(programs[system])
		err = errors.Join(err, check(system, contents[system]))
	}
	if err != nil {
		return nil, err
	}
	files["server/linux-amd64/"+product] = contents["linux_amd64"]
	files["server/linux-arm64/"+product] = contents["linux_arm64"]
	files["server/windows/"+product+".exe"] = contents["windows_amd64"]
	files["server/darwin/"+product], err = universal(contents["darwin_amd64"], contents["darwin_arm64"])
	return files, err
}

// fill returns the templates with their holes filled.
func fill(f facts) (map[string][]byte, error) {
	functions := template.FuncMap{
		"default": defaultOf,
		"json": func(v any) (string, error) {
			text, err := json.Marshal(v)
			return string(text), err
		},
	}
	files := map[string][]byte{}
	return files, fs.WalkDir(templates, "bundle", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := templates.ReadFile(path)
		if err != nil {
			return err
		}
		path = strings.TrimPrefix(path, "bundle/")
		if strings.HasSuffix(path, ".json") {
			form, err := template.New(path).Funcs(functions).Parse(string(content))
			if err != nil {
				return err
			}
			var filled, indented bytes.Buffer
			if err := form.Execute(&filled, f); err != nil {
				return err
			}
			if err := json.Indent(&indented, filled.Bytes(), "", "  "); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			content = indented.Bytes()
		}
		files[path] = content
		return nil
	})
}

// defaultOf returns the default of a variable of the program's.
func defaultOf(name string) (string, error) {
	for _, v := range config.Variables() {
		if v.Name == name {
			return v.Default, nil
		}
	}
	return "", fmt.Errorf("the program has no variable %s", name)
}

// archive returns the files as a zip: sorted, all of one time, and those under
// server/ with their run bit.
func archive(files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	zipped := zip.NewWriter(&out)
	zipped.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, path := range slices.Sorted(maps.Keys(files)) {
		header := &zip.FileHeader{Name: path, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)} // the first that a zip can say
		header.SetMode(0o644)
		if strings.HasPrefix(path, "server/") {
			header.SetMode(0o755)
		}
		w, err := zipped.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(files[path]); err != nil {
			return nil, err
		}
	}
	err := zipped.Close() // writes the list of the files
	return out.Bytes(), err
}
