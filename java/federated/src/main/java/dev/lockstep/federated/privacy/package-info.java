/**
 * What keeps a client's data from the others in federated training: differential privacy with its
 * accountant and an audit of it, and secure aggregation.
 *
 * <p>Plain Java on the JDK's cryptography; nothing here knows models, networks or files. {@link
 * dev.lockstep.federated.privacy.DifferentialPrivacy} bounds what the published model tells about a
 * client, {@link dev.lockstep.federated.privacy.SecureAggregation} hides single updates from the
 * server. Each does not do what the other does.
 */
@NullMarked
package dev.lockstep.federated.privacy;

import org.jspecify.annotations.NullMarked;
