"""Human listeners: do embeddings explain which sounds people hear as similar?"""
