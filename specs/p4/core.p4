// The P4-16 core library (language specification 1.2.5, appendix "P4 core library"), declared for Interlock's front end.
#ifndef _CORE_P4_
#define _CORE_P4_

error {
    NoError,
    PacketTooShort,
    NoMatch,
    StackOutOfBounds,
    HeaderTooShort,
    ParserTimeout,
    ParserInvalidArgument
}

match_kind {
    exact,
    ternary,
    lpm
}

// What a parser reads. The second extract is for a header with one varbit field, of that many bits.
extern packet_in {
    void extract<T>(out T hdr);
    void extract<T>(out T variableSizeHeader, in bit<32> variableFieldSizeInBits);
    T lookahead<T>();
    void advance(in bit<32> sizeInBits);
    bit<32> length();
}

// What a deparser writes.
extern packet_out {
    void emit<T>(in T hdr);
}

extern void verify(in bool check, in error toSignal);

@noWarn("unused")
action NoAction() {}

// Checked when a program is compiled; the result is always true.
extern bool static_assert(bool check, string message);
extern bool static_assert(bool check);

#endif
