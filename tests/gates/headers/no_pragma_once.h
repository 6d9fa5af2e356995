// Can be included only once.
inline int nothing() {
  return 0;
}
