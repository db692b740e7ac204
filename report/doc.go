// Package report writes answers for people and models to read: one portrait or a
// comparison as text and Markdown, and comparisons as tables for spreadsheets and
// programs. Every sentence stands in both languages beside each other, as say
// takes them. It computes no share: those are package audience's.
package report
