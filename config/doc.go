// Package config reads the environment into one struct and checks it once, so
// that no other part of the server looks at a variable or doubts a setting.
//
// A value that is empty, or white space only, counts as not set: that is what
// a Compose file or a client's settings page leaves behind. What holds a
// secret has a type that does not print it.
package config
