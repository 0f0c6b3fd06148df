//! Killed between a server's birth and the tag on the root disk that came with it, and then the server goes: nothing says
//! any more whose disk that is.
