#include "low/inside/detail.h"
