#include <nowhere.p4> // ERROR "P4011.*nowhere.p4: file not found"
#include "../../../../../go.mod" // ERROR "P4011.*outside the program's folder"
#include "/etc/passwd" // ERROR "P4011.*outside"
#include nothing // ERROR "P4010.*#include needs"
#unknown x // ERROR "P4010.*unknown directive #unknown"
#if 1 + // ERROR "P4013.*operand missing"
#endif
#if 1 / 0 // ERROR "P4013.*division by zero"
#endif
#if 0 && 1 / 0
#error never
#elif defined(NOPE) || !defined NOPE
#else
#error never
#endif
#if defined // ERROR "P4013.*needs a name"
#endif
#else // ERROR "P4014.*#else without #if"
#endif // ERROR "P4014.*#endif without #if"
#ifdef A
#else
#else // ERROR "P4014.*#else after #else"
#endif
#error stop right here // ERROR "P4015.*stop right here"
#warning mind this // ERROR "warning.P4018.*mind this"
#define // ERROR "P4016.*needs a name"
#define F(x) (x)
#define F(y) (y + 1) // ERROR "warning.P4017.*defined again"
#define G(x, x) // ERROR "P4016.*two parameters"
#define __LINE__ 3 // ERROR "P4016.*needs a name that is free"
#undef __FILE__ // ERROR "P4016.*cannot be undefined"
#define J ## x // ERROR "P4016.*##"
const bit<8> a = F(1, 2); // ERROR "P4016.*takes 1 arguments, found 2"
#if __has_include(none) // ERROR "P4013.*__has_include needs"
#endif
#if true // ERROR "warning.P4013.*true is a name here, and as such 0"
#elif 1 1 // ERROR "P4013.*unexpected 1"
#endif
#if nope(1) // ERROR "P4013.*nope is no macro"
#endif
# 12 x // ERROR "P4019"
#line x // ERROR "P4019"
#line 3 "core.p4" // ERROR "P4019.*system file"
#undef 3 // ERROR "P4010.*#undef needs a name"
#define UNUSED F( // nothing to complain about unless it is used
#if 1 // ERROR "P4014.*#if without #endif"
const bool last = true;
/* no end // ERROR "P4002.*comment is not closed"
