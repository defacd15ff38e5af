package dev.lockstep.train.strategy.server;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;

/**
 * The centre of elastic averaging, moved by one worker after the other (Zhang et al. 2015, "Deep
 * learning with elastic averaging SGD", algorithm 1): a worker pushes its parameters x, d = α(x −
 * c) enters the centre c, and the same d is the answer, which the worker takes from x. So the sum
 * of both is kept.
 */
final class CentreUpdates implements UpdateRule {
  private final SliceServer server;
  private final ServedSlice centre;
  private final double alpha;
  private long fastest;

  CentreUpdates(SliceServer server, ServedSlice centre, double alpha) {
    this.server = server;
    this.centre = centre;
    this.alpha = alpha;
  }

  @Override
  public void pushed(Caller worker) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      for (int g = 0; g < worker.data().layout().groups().size(); g++) {
        if (worker.data().layout().groups().get(g).count() > 0) {
          Tensor difference = worker.data().whole(g);
          Tensor c = centre.values().whole(g);
          difference.sub_(c).mul_(new Scalar(alpha));
          c.add_(difference);
        }
      }
    }
    long next = worker.request().clock() + 1;
    fastest = Math.max(fastest, next);
    server.answerWithData(worker, next);
  }

  @Override
  public void left(Caller worker) {}

  @Override
  public long fastest() {
    return fastest;
  }
}
