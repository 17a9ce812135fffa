"""What short vectors cost: probes, few labels and nearest neighbours with 64 to all dimensions."""
