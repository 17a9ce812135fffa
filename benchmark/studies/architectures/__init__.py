"""Does the domain of the training data matter more for a transformer or for a convolutional network?"""
