#pragma once

/// Marks what liblockstep.so exports; all else is hidden.
#define LOCKSTEP_API __attribute__((visibility("default")))
