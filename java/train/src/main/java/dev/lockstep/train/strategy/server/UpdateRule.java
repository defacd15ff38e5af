package dev.lockstep.train.strategy.server;

/** When a server applies what workers push, and when it answers. On the server's thread alone. */
interface UpdateRule {
  /** All of a worker's push is there. */
  void pushed(Caller worker);

  /** A worker is gone. */
  void left(Caller worker);

  /** Steps that the fastest worker has finished. */
  long fastest();
}
