"""From labelled sounds to a network that was trained further on them, and the check that this was worth it.

:func:`~byola_hear.finetuning.finetune.finetune` begins with the classifier that
:func:`~byola_hear.classification.training.learn` fits to frozen embeddings. It trains the network and the classifier
together on all but one of the folds, for each fold, and compares both on what was held out.
"""
