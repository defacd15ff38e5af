package dev.lockstep.federated;

import dev.lockstep.data.Dataset;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;

/** Data whose every reading something comes before. */
final class Readings {
  private Readings() {}

  /** What comes before. */
  interface Deed {
    void run() throws Exception;
  }

  static Dataset before(Dataset data, Deed deed) {
    return (Dataset)
        Proxy.newProxyInstance(
            Dataset.class.getClassLoader(),
            new Class<?>[] {Dataset.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("read")) {
                deed.run();
              }
              try {
                return method.invoke(data, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
