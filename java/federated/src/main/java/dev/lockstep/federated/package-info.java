/**
 * Federated training: clients, each with data of its own, train a copy of the model; a server joins
 * what they learnt, round by round. Everything that is drawn follows from the seed, the round and
 * the client, so that the model has the same bytes on any number of ranks.
 */
@NullMarked
package dev.lockstep.federated;

import org.jspecify.annotations.NullMarked;
