/** For Lockstep's own packages; no part of the API, and free to change. */
@NullMarked
package dev.lockstep.comm.internal;

import org.jspecify.annotations.NullMarked;
