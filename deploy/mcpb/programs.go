package main

import (
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const product = "kol-portrait-mcp"

// systems are those that the bundle has programs for, as GOOS_GOARCH. Windows on
// ARM runs programs for amd64.
var systems = []string{"darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64", "windows_amd64"}

// processors are those of the systems, as their programs' heads have them.
var processors = map[string]any{
	"darwin_amd64": macho.CpuAmd64, "darwin_arm64": macho.CpuArm64,
	"linux_amd64": elf.EM_X86_64, "linux_arm64": elf.EM_AARCH64,
	"windows_amd64": uint16(pe.IMAGE_FILE_MACHINE_AMD64),
}

// fileName is the program's file name on a system.
func fileName(system string) string {
	if strings.HasPrefix(system, "windows") {
		return product + ".exe"
	}
	return product
}

// build builds the program for all systems, each in a folder of its name.
func build(ctx context.Context, folder, version string) error {
	ldflags := "-s -w"
	if version != "" {
		ldflags += " -X main.version=" + version
	}
	// A clone has a commit; a copy of the sources has none.
	if commit, err := exec.CommandContext(ctx, "git", "rev-parse", "HEAD").Output(); err == nil {
		ldflags += " -X main.commit=" + strings.TrimSpace(string(commit))
	}
	for _, system := range systems {
		goos, goarch, _ := strings.Cut(system, "_")
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", filepath.Join(folder, system, fileName(system)), product) //nolint:gosec // its arguments are those of whoever packs
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build for %s: %w\n%s", system, err, out)
		}
	}
	return nil
}

// find returns the path of each system's program in a folder. Its own folder may
// have more in its name, as in GoReleaser's dist: a build's id, a processor's level.
func find(folder string) (map[string]string, error) {
	programs := map[string]string{}
	for _, system := range systems {
		pattern := filepath.Join(folder, "*"+system+"*", fileName(system))
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		if len(paths) != 1 {
			return nil, fmt.Errorf("%d files match %s, not one", len(paths), pattern)
		}
		if programs[system], err = filepath.Abs(paths[0]); err != nil {
			return nil, err
		}
	}
	return programs, nil
}

// check reads the head of a program, and says whether it is one for the system.
func check(system string, program []byte) error {
	found, err := processor(system, bytes.NewReader(program))
	if err == nil && found != processors[system] {
		err = fmt.Errorf("it is for another processor, %v", found)
	}
	if err != nil {
		return fmt.Errorf("the program for %s: %w", system, err)
	}
	return nil
}

// processor reads what a program of a system says that it is for.
func processor(system string, program io.ReaderAt) (any, error) {
	switch goos, _, _ := strings.Cut(system, "_"); goos {
	case "windows":
		f, err := pe.NewFile(program)
		return cmp.Or(f, new(pe.File)).Machine, err
	case "darwin":
		f, err := macho.NewFile(program)
		return cmp.Or(f, new(macho.File)).Cpu, err
	default:
		f, err := elf.NewFile(program)
		return cmp.Or(f, new(elf.File)).Machine, err
	}
}

// universal joins one system's programs for different processors to one file, of
// which macOS starts the right part. The parts keep their signatures, which Go's
// linker makes and without which Apple's processors start nothing.
//
// The form is that of Apple's mach-o/fat.h: a big-endian table, then the parts,
// each at a multiple of the largest page.
func universal(parts ...[]byte) ([]byte, error) {
	const pageBits = 14
	table := binary.BigEndian.AppendUint32(nil, macho.MagicFat)
	table = binary.BigEndian.AppendUint32(table, uint32(len(parts))) //nolint:gosec // two
	var joined bytes.Buffer
	joined.Write(make([]byte, 1<<pageBits)) // room for the table
	for _, part := range parts {
		file, err := macho.NewFile(bytes.NewReader(part))
		if err != nil {
			return nil, fmt.Errorf("read a program for macOS: %w", err)
		}
		header := macho.FatArchHeader{Cpu: file.Cpu, SubCpu: file.SubCpu, Offset: uint32(joined.Len()), Size: uint32(len(part)), Align: pageBits} //nolint:gosec // some 60 MB
		if table, err = binary.Append(table, binary.BigEndian, header); err != nil {
			return nil, err
		}
		joined.Write(part)
		joined.Write(make([]byte, -joined.Len()&(1<<pageBits-1)))
	}
	file := joined.Bytes()
	copy(file, table)
	return file, nil
}
