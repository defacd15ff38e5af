/**
 * Messages between a server and its clients over TCP, one connection a client: both ends prove that
 * they know a common token, and each message has a seal that follows from it; lengths have limits,
 * so that a stream of anything costs one connection and a line in the log. Nothing is encrypted.
 * Nothing here knows what the messages say.
 */
@NullMarked
package dev.lockstep.federated.network;

import org.jspecify.annotations.NullMarked;
