/**
 * @file
 * What the shared library exports, for C and C++.
 */
#ifndef SIMDROP_API_H
#define SIMDROP_API_H

/**
 * Marks what programs may link with, in a library that hides all else (-fvisibility=hidden): each
 * function, and in C++ each class that has members in the library, or is a member of such a class,
 * or is thrown. A test compares what is exported with tests/data/exported_symbols.txt.
 */
#if defined(__GNUC__)
#define SIMDROP_API __attribute__((visibility("default")))
#else
#define SIMDROP_API
#endif

#endif
