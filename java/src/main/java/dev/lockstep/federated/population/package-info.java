/**
 * Who has which samples, who takes part in a round, and the random numbers of both. Everything
 * follows from the seed, the round and the client.
 */
@NullMarked
package dev.lockstep.federated.population;

import org.jspecify.annotations.NullMarked;
