/** Holds federations on this machine to what they promise, as other ways of training are held. */
@NullMarked
package dev.lockstep.federated.verify;

import org.jspecify.annotations.NullMarked;
