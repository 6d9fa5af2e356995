// A library without anything: what the compiler and the C runtime put into every one.
