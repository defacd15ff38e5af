/** What JavaCPP is told to make {@code dev.lockstep.mpi}, and the choice among MPIs. */
@NullMarked
package dev.lockstep.mpi.presets;

import org.jspecify.annotations.NullMarked;
