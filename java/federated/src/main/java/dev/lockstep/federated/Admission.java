package dev.lockstep.federated;

import dev.lockstep.LockstepException;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.aggregation.SecureEncoding;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.federated.config.SelectionConfig;
import dev.lockstep.federated.network.RefusedException;
import dev.lockstep.federated.privacy.SecureAggregation;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.List;

/** Which clients may join a server: those with its configuration, and samples that it can count. */
final class Admission {
  private final FederationPlan plan;
  private final Dataset dataset;

  Admission(FederationPlan plan, Dataset dataset) {
    this.plan = plan;
    this.dataset = dataset;
  }

  /**
   * Reads what a client says of itself.
   *
   * @return how many samples it has
   * @throws RefusedException with the reason for which it must not join
   */
  int samples(int client, ByteBuffer body) throws RefusedException {
    int clients = plan.federation().clients();
    if (client < 0 || client >= clients) {
      throw new RefusedException(
          "there is no client " + client + "; they are 0 to " + (clients - 1));
    }
    Hello hello;
    try {
      hello = Hello.read(body);
    } catch (ProtocolException e) {
      throw new RefusedException(LockstepException.messageOf(e));
    }
    List<String> differences = hello.differences(plan, dataset);
    if (!differences.isEmpty()) {
      throw new RefusedException(
          "its configuration is not the server's: " + String.join(", ", differences));
    }
    if (hello.samples() < 1) {
      throw new RefusedException("it has no samples");
    }
    requireCountable(hello.samples());
    return hello.samples();
  }

  /** One client with too many samples must not end the rounds of all. */
  private void requireCountable(int count) throws RefusedException {
    FederationConfig config = plan.federation();
    // Poisson's coins may fall for all.
    int ofRound =
        config.selection().type() == SelectionConfig.Type.POISSON
            ? Math.min(config.clients(), SecureAggregation.MAX_CLIENTS)
            : config.perRound(config.clients());
    try {
      config.steps(count);
      SecureEncoding.of(config, config.clients(), 1)
          .ifPresent(
              encoding -> encoding.checkRange(ofRound, new SecureEncoding.Terms(1, count, 1)));
    } catch (ArithmeticException | IllegalArgumentException e) {
      throw new RefusedException(
          "its " + count + " samples are more than can be counted (" + e.getMessage() + ")");
    }
  }
}
