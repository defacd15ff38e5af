package dev.lockstep.train.server;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.Communicator;
import dev.lockstep.train.OptimizerConfig;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Keeps named parameters and updates them with the gradients that workers give: on its own, in the
 * threads of one process, or served to other ranks ({@link #serve}), which reach it as {@link
 * ParameterClient}. It needs no model and no trainer.
 *
 * <p>Thread-safe; one call at a time.
 */
public final class ParameterServer implements ParameterStore, AutoCloseable {
  private final OptimizerConfig optimizer;
  private final int gradientsPerUpdate;
  private final Map<String, StoredParameters> parameters = new TreeMap<>();
  private double learningRate;
  private boolean closed;

  /**
   * Holds nothing yet.
   *
   * @param optimizer turns gradients into updates; each name has state of its own
   * @param gradientsPerUpdate how many gradients make an update ready, at least 1: the workers, say
   */
  public ParameterServer(OptimizerConfig optimizer, int gradientsPerUpdate) {
    this.optimizer = requireNonNull(optimizer, "optimizer");
    if (gradientsPerUpdate < 1) {
      throw new IllegalArgumentException(
          "gradientsPerUpdate must be at least 1, not " + gradientsPerUpdate + ".");
    }
    this.gradientsPerUpdate = gradientsPerUpdate;
    learningRate = optimizer.learningRate();
  }

  /**
   * Answers the other ranks of a group from a thread of its own, beside the group's collectives,
   * until what is returned is closed. A rank that dies is no concern of the others.
   */
  public ParameterService serve(Communicator group) {
    return new ParameterService(this, requireNonNull(group, "group"));
  }

  /** Changes the learning rate of the updates that follow, above 0. */
  public synchronized void learningRate(double rate) {
    if (!(rate > 0)) {
      throw new IllegalArgumentException("The learning rate must be above 0, not " + rate + ".");
    }
    learningRate = rate;
  }

  @Override
  public synchronized void set(String name, float[] values) {
    requireNonNull(name, "name");
    requireOpen();
    StoredParameters before =
        parameters.put(
            name, new StoredParameters(name, requireNonNull(values, "values"), optimizer));
    if (before != null) {
      before.close();
    }
  }

  @Override
  public synchronized float[] get(String name) {
    return find(name).values();
  }

  @Override
  public synchronized void accumulate(String name, float[] gradient) {
    find(name).add(requireNonNull(gradient, "gradient"));
  }

  @Override
  public synchronized boolean isReady(String name) {
    return find(name).waiting() >= gradientsPerUpdate;
  }

  @Override
  public synchronized void apply(String name) {
    find(name).apply(learningRate);
  }

  @Override
  public synchronized boolean applyIfReady(String name) {
    boolean ready = isReady(name);
    if (ready) {
      apply(name);
    }
    return ready;
  }

  @Override
  public synchronized void clear(String name) {
    find(name).clear();
  }

  @Override
  public synchronized long version(String name) {
    return find(name).version();
  }

  @Override
  public synchronized Set<String> names() {
    return new TreeSet<>(parameters.keySet());
  }

  private StoredParameters find(String name) {
    requireOpen();
    StoredParameters found = parameters.get(requireNonNull(name, "name"));
    if (found == null) {
      throw new IllegalArgumentException(
          "There are no parameters " + name + "; there are " + parameters.keySet() + ".");
    }
    return found;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("This parameter server is closed.");
    }
  }

  /** Frees the memory; idempotent. Close what serves it before. */
  @Override
  public synchronized void close() {
    closed = true;
    parameters.values().forEach(StoredParameters::close);
    parameters.clear();
  }
}
