package sqlite

import (
	"bytes"
	"fmt"
)

// The types of columns, which SQLite does not enforce on what it reads from a
// damaged page.

type textColumn string

// Scan implements sql.Scanner. Anything but text is damage.
func (c *textColumn) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("%w: %T where text belongs", errDamaged, value)
	}
	*c = textColumn(text)
	return nil
}

type integerColumn int64

// Scan implements sql.Scanner. Anything but an integer is damage.
func (c *integerColumn) Scan(value any) error {
	n, ok := value.(int64)
	if !ok {
		return fmt.Errorf("%w: %T where a number belongs", errDamaged, value)
	}
	*c = integerColumn(n)
	return nil
}

type blobColumn []byte

// Scan implements sql.Scanner. Anything but bytes is damage.
func (c *blobColumn) Scan(value any) error {
	data, ok := value.([]byte)
	if !ok {
		return fmt.Errorf("%w: %T where data belongs", errDamaged, value)
	}
	*c = bytes.Clone(data)
	return nil
}
