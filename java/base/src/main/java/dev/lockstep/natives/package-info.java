/** Gets native libraries onto the disk and into the process, in an order that cannot crash it. */
@NullMarked
package dev.lockstep.natives;

import org.jspecify.annotations.NullMarked;
