// Annotations that the language defines; others may say what they like.
#include <core.p4>
const string prefix = "a";
@name("x") const bit<8> ok1 = 1;
@name(prefix ++ "b" "c") const bit<8> ok2 = 1;
@anything(4, !) @anything(5) const bit<8> ok3 = 1;
@list[1, 2] @pairs[a = 1, b = "x"] const bit<8> ok4 = 1;
@p4runtime_translation("uri", bit<32>) type bit<8> ok5;
@p4runtime_translation("uri", string) type bit<8> ok6;
@pkginfo(name = "x", version = "1") const bit<8> ok7 = 1;
@name(4) const bit<8> n1 = 1; // ERROR "@name takes one string"
@name const bit<8> n2 = 1; // ERROR "@name takes one string"
@name("a" | "b") const bit<8> n3 = 1; // ERROR "@name takes one string"
@name("a" ++) const bit<8> n4 = 1; // ERROR "@name takes one string"
@deprecated[5] const bit<8> n5 = 1; // ERROR "@deprecated takes one string"
@noWarn(ok1) const bit<8> n6 = 1; // ERROR "@noWarn takes one string"
@twice[] @twice[] const bit<8> s1 = 1; // ERROR "@twice stands here twice"
@mixed(1) @mixed[2] const bit<8> s2 = 1; // ERROR "@mixed stands here twice"
@key[k = 1, k = 2] const bit<8> s3 = 1; // ERROR "key k is given twice"
@pkginfo const bit<8> p1 = 1; // ERROR "@pkginfo takes pairs"
@pkginfo("x") const bit<8> p2 = 1; // ERROR "@pkginfo takes pairs"
@p4runtime_translation("uri", bool) type bit<8> t1; // ERROR "@p4runtime_translation takes a string, and"
@p4runtime_translation(string, "uri") type bit<8> t2; // ERROR "@p4runtime_translation takes a string, and"
struct set_t {
    @match(ternary) bit<8> a;
    @match(1 + 1) bit<8> b; // ERROR "@match takes one match kind"
    @match(nothing) bit<8> c; // ERROR "@match takes one match kind"
}
control c(in bit<8> x) {
    action a() { }
    table t {
        key = { x : exact; }
        actions = { @tableonly(1) a; NoAction; } // ERROR "@tableonly takes no arguments"
        default_action = NoAction;
    }
    apply { t.apply(); }
}
