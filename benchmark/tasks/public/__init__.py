"""The suite public: tasks made of public labelled sets."""
