/**
 * What a client does: it trains a copy of the model on its own samples, keeps its own layers, and
 * may be dishonest.
 */
@NullMarked
package dev.lockstep.federated.client;

import org.jspecify.annotations.NullMarked;
