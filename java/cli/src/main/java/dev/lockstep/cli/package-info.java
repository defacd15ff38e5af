/** The command line: what {@code hpc/lockstep} runs. */
@NullMarked
package dev.lockstep.cli;

import org.jspecify.annotations.NullMarked;
