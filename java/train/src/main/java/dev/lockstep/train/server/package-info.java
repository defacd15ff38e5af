/** Parameter servers on their own, for programs that compute gradients themselves. */
@NullMarked
package dev.lockstep.train.server;

import org.jspecify.annotations.NullMarked;
