package dev.lockstep.localize.network;

import java.util.Optional;

/** Whether anchors spread in all directions: those on a line or in a plane mirror the network. */
final class AnchorShape {
  /** Spread across over spread along, below which the ranges cannot tell the sides apart. */
  private static final double FLAT = 1e-6;

  /** … and below which they hardly can. */
  private static final double NEARLY_FLAT = 0.05;

  private AnchorShape() {}

  /** What to say of a network's anchors, where there is anything. */
  static Optional<String> warning(Network network) {
    double thickness = thickness(network.anchorPositions(), network.dimension());
    if (thickness >= NEARLY_FLAT) {
      return Optional.empty();
    }
    String shape = network.dimension() == 2 ? "on a line" : "in a plane";
    String side = network.dimension() == 2 ? "the side of that line" : "the height above it";
    return Optional.of(
        thickness < FLAT
            ? "The anchors lie "
                + shape
                + ": the whole network may be mirrored in it; add an anchor off it"
            : "The anchors lie almost "
                + shape
                + ": "
                + side
                + " is poorly determined; add an anchor well off it");
  }

  /** Least over greatest root of the scatter matrix's eigenvalues. */
  private static double thickness(double[] anchors, int d) {
    double[] mean = new double[d];
    int count = anchors.length / d;
    for (int i = 0; i < anchors.length; i++) {
      mean[i % d] += anchors[i] / count;
    }
    double[][] scatter = new double[d][d];
    for (int at = 0; at < anchors.length; at += d) {
      for (int i = 0; i < d; i++) {
        for (int j = 0; j < d; j++) {
          scatter[i][j] += (anchors[at + i] - mean[i]) * (anchors[at + j] - mean[j]);
        }
      }
    }
    double[] values = eigenvalues(scatter);
    double greatest = 0;
    double least = Double.POSITIVE_INFINITY;
    for (double value : values) {
      greatest = Math.max(greatest, value);
      least = Math.min(least, value);
    }
    return greatest > 0 ? Math.sqrt(Math.max(0, least) / greatest) : 0;
  }

  /** Cyclic Jacobi (Golub and Van Loan, Matrix Computations, 8.5). */
  private static double[] eigenvalues(double[][] a) {
    int n = a.length;
    for (int sweep = 0; sweep < 20; sweep++) {
      for (int p = 0; p < n; p++) {
        for (int q = p + 1; q < n; q++) {
          rotate(a, p, q);
        }
      }
    }
    double[] values = new double[n];
    for (int i = 0; i < n; i++) {
      values[i] = a[i][i];
    }
    return values;
  }

  private static void rotate(double[][] a, int p, int q) {
    if (a[p][q] == 0) {
      return;
    }
    double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double tangent = Math.copySign(1, theta) / (Math.abs(theta) + Math.hypot(theta, 1));
    double cosine = 1 / Math.hypot(tangent, 1);
    double sine = tangent * cosine;
    for (int k = 0; k < a.length; k++) {
      double x = a[k][p];
      double y = a[k][q];
      a[k][p] = cosine * x - sine * y;
      a[k][q] = sine * x + cosine * y;
    }
    for (int k = 0; k < a.length; k++) {
      double x = a[p][k];
      double y = a[q][k];
      a[p][k] = cosine * x - sine * y;
      a[q][k] = sine * x + cosine * y;
    }
  }
}
