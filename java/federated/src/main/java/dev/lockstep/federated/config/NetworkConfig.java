package dev.lockstep.federated.config;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.lockstep.ConfigKeyException;
import dev.lockstep.train.Checks;
import java.net.InetSocketAddress;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The key {@code federation.network}: a federation whose clients are other processes, on other
 * hosts.
 *
 * @param address where the server listens and clients connect, {@code host:port}; IPv6 in brackets
 * @param deadline seconds that the clients of a round have to answer, and all to say at the end
 *     that they have the model, above 0
 * @param minimum clients that must be connected before a round begins; all if left out
 * @param patience seconds for which a client tries to reach a server that is away, or waits for one
 *     that says nothing (30 at least), above 0
 */
public record NetworkConfig(
    String address, double deadline, @Nullable Integer minimum, double patience) {
  private static final int LARGEST_PORT = 65535;

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException naming the key
   */
  public NetworkConfig {
    checkAddress(address);
    Checks.positive("deadline", deadline);
    Checks.positive("patience", patience);
    if (minimum != null) {
      Checks.atLeast("minimum", minimum, 1);
    }
  }

  private static void checkAddress(String address) {
    int colon = address.lastIndexOf(':');
    String port = address.substring(colon + 1);
    if (colon < 1 || !port.matches("[0-9]{1,5}") || Integer.parseInt(port) > LARGEST_PORT) {
      throw new ConfigKeyException(
          "address", "must be host:port, as in 10.0.0.5:29700, not " + address);
    }
  }

  /** From the keys that a file gives; the others take their defaults. */
  @JsonCreator
  public static NetworkConfig of(
      @JsonProperty("address") @Nullable String address,
      @JsonProperty("deadline") @Nullable Double deadline,
      @JsonProperty("minimum") @Nullable Integer minimum,
      @JsonProperty("patience") @Nullable Double patience) {
    return new NetworkConfig(
        address == null ? "127.0.0.1:29700" : address,
        deadline == null ? 600 : deadline,
        minimum,
        patience == null ? 600 : patience);
  }

  /** The address, looked up now. */
  public InetSocketAddress socketAddress() {
    int colon = address.lastIndexOf(':');
    String host = address.substring(0, colon).replaceAll("^\\[|]$", "");
    return new InetSocketAddress(host, Integer.parseInt(address.substring(colon + 1)));
  }

  public Duration deadlineOfRound() {
    return Duration.ofNanos((long) (deadline * 1e9));
  }

  public Duration patienceOfClient() {
    return Duration.ofNanos((long) (patience * 1e9));
  }
}
