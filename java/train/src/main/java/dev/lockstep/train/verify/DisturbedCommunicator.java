package dev.lockstep.train.verify;

import dev.lockstep.comm.Channel;
import dev.lockstep.comm.Communicator;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/** A rank's group, before each of whose operations something happens. */
final class DisturbedCommunicator {
  /** What only asks, or ends. */
  private static final Set<String> QUIET =
      Set.of(
          "rank",
          "size",
          "backend",
          "transport",
          "peer",
          "tag",
          "channel",
          "close",
          "statistics",
          "operations",
          "recordOperations",
          "communicationSeconds",
          "communicationBytes",
          "lastAlgorithm",
          "generation",
          "setTimeout",
          "timeout",
          "setStallSeconds",
          "allocate",
          "hashCode",
          "equals",
          "toString");

  private final Communicator group;
  private final Disturbance disturbance;
  private final AtomicLong operations = new AtomicLong();

  DisturbedCommunicator(Communicator group, Disturbance disturbance) {
    this.group = group;
    this.disturbance = disturbance;
  }

  /** The group as the rank sees it. */
  Communicator view() {
    return proxy(Communicator.class, group);
  }

  /** Operations that the rank has begun. */
  long operations() {
    return operations.get();
  }

  private <T> T proxy(Class<T> type, T target) {
    InvocationHandler handler = (self, method, arguments) -> invoke(target, method, arguments);
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }

  private Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
    if (!QUIET.contains(method.getName())) {
      disturbance.before(operations.getAndIncrement(), group::close);
    }
    Object result;
    try {
      result = method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
    if (result instanceof Channel channel) {
      return proxy(Channel.class, channel);
    }
    return result instanceof Communicator part ? proxy(Communicator.class, part) : result;
  }
}
