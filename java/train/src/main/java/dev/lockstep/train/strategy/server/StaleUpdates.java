package dev.lockstep.train.strategy.server;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * An update for each push, in the order in which they come; a worker is answered, with the
 * parameters of then, when it may start its next step.
 *
 * <p>A worker pushes the mean gradient of its share of the batch, and the rate of its update is the
 * step's times that share: as many updates as there are workers make one step, whatever the
 * optimiser. With rates by staleness it is the step's, times the share in units of an even one,
 * over 1 + τ (Zhang et al. 2016, "Staleness-aware async-SGD for distributed deep learning",
 * equation 6).
 */
final class StaleUpdates implements UpdateRule {
  private final SliceServer server;
  private final ServedSlice slice;
  private final Clocks clocks;
  private final int servers;
  private final int workers;
  private final boolean byStaleness;
  private final Staleness staleness;
  private final List<Caller> waiting = new ArrayList<>();

  StaleUpdates(SliceServer server, ServedSlice slice, Serving serving, Staleness staleness) {
    this.server = server;
    this.slice = slice;
    workers = serving.workers();
    servers = serving.dedicated();
    byStaleness = serving.options().rateByStaleness();
    clocks = new Clocks(workers, serving.options().bound());
    this.staleness = staleness;
  }

  @Override
  public void pushed(Caller worker) {
    Request request = worker.request();
    if (request.carriesGradients() && !request.used().isEmpty()) {
      long age = slice.version() - worker.readVersion();
      double part = byStaleness ? request.share() * workers / (1 + age) : request.share();
      slice.apply(request.used(), worker.data(), request.learningRate() * part);
      staleness.add(
          new Staleness.Entry(
              worker.rank(), request.clock(), worker.readVersion(), slice.version()));
    }
    clocks.finish(worker.rank() - servers, request.clock());
    waiting.add(worker);
    answerThoseWhoMayStart();
  }

  @Override
  public void left(Caller worker) {
    clocks.leave(worker.rank() - servers);
    waiting.remove(worker);
    answerThoseWhoMayStart();
  }

  private void answerThoseWhoMayStart() {
    for (Iterator<Caller> next = waiting.iterator(); next.hasNext(); ) {
      Caller worker = next.next();
      if (clocks.mayStart(worker.rank() - servers)) {
        next.remove();
        server.answer(worker, worker.request().clock() + 1);
      }
    }
  }

  @Override
  public long fastest() {
    return clocks.fastest();
  }
}
