// Types that grow exponentially with their text are refused where they become too large, not walked.
struct a_t { bit<8> x; bit<8> y; bit<8> z; bit<8> w; }
struct b_t { a_t x; a_t y; a_t z; a_t w; }
struct c_t { b_t x; b_t y; b_t z; b_t w; }
struct d_t { c_t x; c_t y; c_t z; c_t w; }
struct e_t { d_t x; d_t y; d_t z; d_t w; }
struct f_t { e_t x; e_t y; e_t z; e_t w; }
struct g_t { f_t x; f_t y; f_t z; f_t w; }
struct h_t { g_t x; g_t y; } // 2 * 4^7 is still allowed
struct i_t { g_t x; g_t y; g_t z; g_t w; bit<1> last; } // ERROR "more than 65536 parts"
struct pair_t<T> { T x; T y; }
struct use_t { pair_t<pair_t<pair_t<h_t>>> x; } // ERROR "more than 65536 parts"
header small_t { bit<8> x; bit<8> y; }
struct stack_t { small_t[60000] x; } // ERROR "more than 65536 parts"
